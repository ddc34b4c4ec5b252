/** A folder tree written from a record, for tests that read real files. It is removed when the test ends. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** A text is a file, an object is a file holding it as JSON, `link("x")` is a symbolic link, `bytes` are a file. */
export type Tree = Readonly<Record<string, string | object>>;

class Link {
  readonly target: string;
  constructor(target: string) {
    this.target = target;
  }
}

export function link(target: string): object {
  return new Link(target);
}

/** Writes the tree into a fresh folder and gives its real path. */
export function tree(files: Tree = {}): string {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cordon-tree-")));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  grow(root, files);
  return root;
}

/** Adds to a tree that is there. */
export function grow(root: string, files: Tree): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (content instanceof Link) fs.symlinkSync(content.target, file);
    else if (typeof content === "string" || content instanceof Uint8Array) fs.writeFileSync(file, content);
    else fs.writeFileSync(file, JSON.stringify(content));
  }
}
