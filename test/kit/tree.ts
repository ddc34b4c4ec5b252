/** A temporary folder that also holds links and bytes, for tests that read what clients leave on disk. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempFolder } from "./temp.ts";

/** A text is a file, an object is a file holding it as JSON, bytes are a file, `link("x")` is a symbolic link. */
export type Tree = Readonly<Record<string, string | object>>;

const TARGET = Symbol("target");

export function link(target: string): object {
  return { [TARGET]: target };
}

/** Writes the tree into a fresh folder and gives its real path. */
export function tree(files: Tree = {}): string {
  const root = realpathSync(tempFolder());
  grow(root, files);
  return root;
}

/** Adds to a tree that is there. */
export function grow(root: string, files: Tree): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(file, content);
    else if (TARGET in content) symlinkSync(String(content[TARGET]), file);
    else writeFileSync(file, JSON.stringify(content));
  }
}
