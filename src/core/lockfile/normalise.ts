/**
 * Rewrites where a lockfile's entries are fetched from, and nothing else: every other byte stays, line endings, indentation and key order
 * included, so that the diff shows exactly what changed. Serves the wrapper, after whose run
 * no lockfile may name the gate.
 */
import type { Place } from "./document.ts";
import { position } from "./document.ts";
import { readAs } from "./read.ts";
import type { LockfileKind } from "./tree.ts";

/** One recorded URL; for yarn 1 without the `#sha1`, which is kept. */
export type SourceEntry = { readonly name: string; readonly version: string; readonly url: string };

/** A string is the new URL, null says nothing in the client's own form, undefined leaves it. */
export type Rewrite = (entry: SourceEntry) => string | null | undefined;

export type SourceChange = { readonly key: string; readonly from: string; readonly to: string | null; readonly line: number };

export type Rewritten = {
  readonly text: string;
  readonly changed: readonly SourceChange[];
  /** Entries that were to say nothing where the format needs a URL: yarn 1, tarball dependencies, entries without integrity. */
  readonly kept: readonly { readonly key: string; readonly url: string; readonly line: number }[];
  /** False when the file could not be read to its end: then nothing was rewritten. */
  readonly complete: boolean;
};

/** What saying nothing looks like: npm drops `resolved`, bun writes `""`, pnpm and deno drop `tarball`, yarn 4 drops `__archiveUrl`. */
export function rewriteSources(kind: LockfileKind, text: string, rewrite: Rewrite): Rewritten {
  const places: Place[] = [];
  const reader = readAs(kind, text, places);
  if (!reader.complete) return { text, changed: [], kept: [], complete: false };
  const changed: SourceChange[] = [];
  const kept: { key: string; url: string; line: number }[] = [];
  let written = "";
  let done = 0;
  for (const place of places.sort((a, b) => a.at - b.at)) {
    const to = rewrite({ name: place.name, version: place.version, url: place.url });
    if (to === undefined || to === place.url) continue;
    const { line } = position(reader, place.at);
    const edit = to === null ? place.blank : { at: place.at, end: place.end, text: spell(text, place, to) };
    if (edit === undefined || edit.at < done) {
      kept.push({ key: place.key, url: place.url, line });
      continue;
    }
    changed.push({ key: place.key, from: place.url, to, line });
    written += text.slice(done, edit.at) + edit.text;
    done = edit.end;
  }
  return { text: written + text.slice(done), changed, kept, complete: true };
}

/** A URL as this place writes it. */
function spell(text: string, place: Place, url: string): string {
  switch (place.form) {
    case "json":
      return JSON.stringify(url);
    case "yarn-classic":
      return JSON.stringify(url).slice(1, -1);
    case "archive-url":
      return encodeURIComponent(url);
    case "yaml": {
      const quote = text[place.at];
      if (quote === '"') return JSON.stringify(url);
      // "plain scalars must not contain flow indicators inside flow collections" (YAML 1.2.2, 7.3.3); a colon at the end would make a key.
      const plain = quote !== "'" && /^[a-z]+:\/\/[^\s,[\]{}]*[^\s,[\]{}:]$/.test(url);
      return plain ? url : `'${url.replaceAll("'", "''")}'`;
    }
  }
}
