/**
 * A source file and what it imports, as plain JavaScript in a folder of their own: for tests that need a process of its own (signals, kills),
 * which a test thread is not. Only files that import nothing but node's modules and each other.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { tree } from "./tree.ts";

const SOURCE = fileURLToPath(new URL("../../src", import.meta.url));

/** `entry` is a path below `src`. Returns the URL to import. */
export function compiled(entry: string): string {
  const target = tree({ "package.json": { type: "module" } });
  const pending = [path.join(SOURCE, entry)];
  const done = new Set<string>();
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (done.has(file)) continue;
    done.add(file);
    const { outputText } = ts.transpileModule(fs.readFileSync(file, "utf8"), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    const output = path.join(target, path.relative(SOURCE, file)).replace(/\.ts$/, ".js");
    fs.mkdirSync(path.dirname(output), { recursive: true });
    fs.writeFileSync(output, outputText);
    for (const imported of outputText.matchAll(/from "(\.[^"]+)\.js"/g))
      pending.push(path.resolve(path.dirname(file), `${imported[1]}.ts`));
  }
  return pathToFileURL(path.join(target, entry.replace(/\.ts$/, ".js"))).href;
}
