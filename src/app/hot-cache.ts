/** Finished answers in memory, by key, bounded in bytes; those that nobody asked for lately leave first. Losable. */

export type HotCache<T> = {
  get(key: string): T | undefined;
  set(key: string, value: T, bytes: number): void;
  delete(key: string): void;
  clear(): void;
  readonly bytes: number;
};

export function hotCache<T>(limit: number): HotCache<T> {
  const entries = new Map<string, { readonly value: T; readonly bytes: number; used: boolean }>();
  let total = 0;

  function drop(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    total -= entry.bytes;
    entries.delete(key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      // Not moved to the end at every hit: that is half the cost of one, and makes the Map grow a new table every few thousand.
      entry.used = true;
      return entry.value;
    },
    set(key, value, bytes) {
      drop(key);
      if (bytes > limit) return;
      entries.set(key, { value, bytes, used: false });
      total += bytes;
      for (const [oldest, entry] of entries) {
        if (total <= limit) break;
        drop(oldest);
        if (!entry.used) continue;
        // Asked for since it was last looked at here: a second chance, as the newest.
        entries.set(oldest, { ...entry, used: false });
        total += entry.bytes;
      }
    },
    delete: drop,
    clear() {
      entries.clear();
      total = 0;
    },
    get bytes() {
      return total;
    },
  };
}
