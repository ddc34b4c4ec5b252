/** Numbers with what they count, for people. */

export function kilobytes(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${Math.round(bytes / 1_000).toLocaleString("en-US")} KB`;
}

/** `1 file`, `3 files`. */
export function count(many: number, thing: string): string {
  return `${many.toLocaleString("en-US")} ${thing}${many === 1 ? "" : "s"}`;
}
