/** JavaScript to a syntax tree: meriyah, then acorn. Both only throw on hostile input; others were measured to take the process down. */
import { parse as parseWithAcorn } from "acorn";
import { parse as parseWithMeriyah } from "meriyah";
import type { Unread } from "./report.ts";

/** An ESTree node, as far as the scanner looks at it. Every field is absent where the type of node has none. */
export type Node = {
  readonly type: string;
  readonly start: number;
  readonly name?: string;
  readonly value?: unknown;
  readonly operator?: string;
  readonly computed?: boolean;
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
  readonly object?: Node;
  readonly property?: Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly id?: Node | null;
  readonly init?: Node | null;
  readonly source?: Node | null;
  readonly specifiers?: readonly Node[];
  readonly local?: Node;
  readonly key?: Node;
  readonly properties?: readonly Node[];
  readonly elements?: readonly (Node | null)[];
  readonly quasis?: readonly Node[];
  readonly expressions?: readonly Node[];
  readonly argument?: Node | null;
  readonly regex?: { readonly pattern: string };
  readonly body?: Node | readonly Node[];
  readonly params?: readonly Node[];
  readonly declarations?: readonly Node[];
  readonly expression?: Node | boolean;
  readonly test?: Node | null;
  readonly consequent?: Node | readonly Node[];
  readonly alternate?: Node | null;
};

export type Syntax = { readonly root: Node } | { readonly unread: Unread };

const MODULE = /(?:^|[;}\n])[ \t]*(?:import\b[^(.]|export\b)/;

/** Tries the two kinds of source in the order the text suggests, with each parser. */
export function parse(source: string): Syntax {
  const kinds: readonly ("module" | "script")[] = MODULE.test(source) ? ["module", "script"] : ["script", "module"];
  let reason = "";
  let deep = false;
  for (const parser of [meriyah, acorn])
    for (const kind of kinds)
      try {
        return { root: parser(source, kind) };
      } catch (error) {
        // Running out of stack is how both answer nesting that no person wrote.
        if (error instanceof RangeError) deep = true;
        else if (reason === "") reason = error instanceof Error ? error.message.slice(0, 200) : String(error);
      }
  return { unread: deep ? { kind: "limit", reason: "nested too deeply for a parser" } : { kind: "syntax", reason } };
}

function meriyah(source: string, kind: "module" | "script"): Node {
  return parseWithMeriyah(source, {
    sourceType: kind === "module" ? "module" : "commonjs",
    next: true,
    webcompat: true,
    // Where a node ends is not asked for: it takes time to set on each.
    ranges: { start: true },
    // What a regular expression means is not our question, and compiling hostile ones costs.
    validateRegex: false,
  }) as unknown as Node;
}

function acorn(source: string, kind: "module" | "script"): Node {
  return parseWithAcorn(source, {
    ecmaVersion: "latest",
    sourceType: kind,
    allowHashBang: true,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowImportExportEverywhere: kind === "module",
    allowSuperOutsideMethod: true,
    checkPrivateFields: false,
  }) as unknown as Node;
}
