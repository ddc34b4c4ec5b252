/** A file system that fails at its n-th call, calls on open files included. */
import type { FileHandle } from "node:fs/promises";
import { FILES, type Files } from "../../src/edge/blobs/files.ts";

export type FailingFiles = {
  readonly files: Files;
  /** The n-th call from now on fails, once; 0 = none. */
  failAt(n: number): void;
  struck(): boolean;
};

/** `code`: what the operating system says, e.g. `ENOSPC`. */
export function failingFiles(code: string): FailingFiles {
  let left = 0;
  let struck = false;

  /** Every asynchronous method of `target` counts; `close` does its work and cannot fail, or the test would leak. */
  function counting<T extends object>(target: T): T {
    return new Proxy(target, {
      get(_target, key) {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== "function" || key === "close") return typeof member === "function" ? member.bind(target) : member;
        return async (...parameters: unknown[]): Promise<unknown> => {
          left -= 1;
          if (left === 0) {
            struck = true;
            throw Object.assign(new Error(`${code}: ${String(key)} failed on purpose`), { code });
          }
          const result: unknown = await (member as (...all: unknown[]) => unknown).apply(target, parameters);
          return key === "open" ? counting(result as FileHandle) : result;
        };
      },
    });
  }

  return {
    files: counting({ ...FILES }),
    failAt(n) {
      left = n;
      struck = false;
    },
    struck: () => struck,
  };
}
