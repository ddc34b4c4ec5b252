/** Numbers with what they count, for people. */

/** `1,234,567`. Not by `toLocaleString`: loading what it knows of languages takes longer than most commands. */
export function grouped(many: number): string {
  return String(many).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function kilobytes(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${grouped(Math.round(bytes / 1_000))} KB`;
}

/** `1 file`, `3 files`. */
export function count(many: number, thing: string): string {
  return `${grouped(many)} ${thing}${many === 1 ? "" : "s"}`;
}
