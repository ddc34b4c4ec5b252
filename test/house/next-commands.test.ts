/** Every command our own output tells people to run next exists: found in the texts of the source, checked against the table of commands. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMANDS as CLIENTS } from "../../src/core/client/table.ts";
import { COMMANDS } from "../../src/surface/cli/cli.ts";
import { ROOT, sources } from "./tree.ts";

/** `cordon word` where it stands as a command: quoted, at the start of a text, or in a column of its own. Prose ("cordon holds …") is not. */
const COMMAND = /(?:`|["'(]|\s{2,}|· )cordon ([a-z][a-z-]*)(?: ([a-z]+))?/g;
/** Words after "cordon" that begin sentences of ours. */
const PROSE = new Set(["holds", "denies", "knows", "serves", "refuses", "cannot", "failed", "needs", "is", "stopped", "does", "gate"]);

test("the next commands that outputs print are commands", () => {
  const strangers: string[] = [];
  for (const file of sources().filter((path) => path.startsWith("src/"))) {
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const [found, word, second] of text.matchAll(COMMAND)) {
      if (PROSE.has(word!) || CLIENTS.includes(word!)) continue;
      const row = Object.hasOwn(COMMANDS, word!) ? COMMANDS[word!] : undefined;
      const choices = /<([a-z]+(?:\|[a-z]+)+)>/.exec(row?.usage ?? "")?.[1]?.split("|");
      if (!row || (choices && second !== undefined && !choices.includes(second))) strangers.push(`${file}: ${found.trim()}`);
    }
  }
  expect(strangers).toEqual([]);
});
