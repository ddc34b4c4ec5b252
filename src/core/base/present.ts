/** Leaves out what is undefined, so that optional fields can be written as expressions under `exactOptionalPropertyTypes`. */

type Sometimes<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Always<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/** A copy of `fields` without its undefined members. */
export function present<T extends object>(fields: T): Always<T> & Sometimes<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Always<T> & Sometimes<T>;
}
