/** The real client is found behind cordon's own shims, and told apart from its namesakes without running a project's code where possible. */
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Tree, link, tree } from "../../../test/kit/tree.ts";
import { findBinary, findClient, globalRoot } from "./find.ts";

/** A program that prints `said` and leaves a trace that it ran. */
function program(said: string): string {
  return `#!/bin/sh\ntouch "$(dirname "$0")/ran"\necho '${said}'\n`;
}

function machine(files: Tree): string {
  const root = tree(files);
  const mark = (folder: string): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) mark(file);
      else if (entry.isFile() && !entry.name.includes(".")) fs.chmodSync(file, 0o755);
    }
  };
  mark(root);
  return root;
}

function find(command: string, root: string, folders: readonly string[], project = "project") {
  fs.mkdirSync(path.join(root, project), { recursive: true });
  return findClient({
    command,
    root: path.join(root, project),
    directory: path.join(root, project),
    env: { PATH: [...folders.map((folder) => path.join(root, folder)), "/usr/bin", "/bin"].join(path.delimiter) },
    own: [path.join(root, "cordon")],
    platform: "linux",
  });
}

test("cordon's own folder and links into it are passed over, and so are relative entries of PATH", async () => {
  const root = machine({
    "cordon/bin/npm": program("cordon"),
    "shims/npm": link("../cordon/bin/npm"),
    "dir/npm/x": "",
    "text/npm.txt": "",
    "real/package.json": { name: "npm", version: "11.19.1" },
    "real/bin/npm": program("11.19.1"),
  });
  const found = await find("npm", root, ["cordon/bin", "shims", "dir", "text", "real/bin"]);
  expect(found).toEqual({ client: "npm", binary: path.join(root, "real/bin/npm"), version: "11.19.1", major: 11, throughShell: true });
  expect(() => findBinary("npm", `.:${path.join(root, "cordon/bin")}::text`, [path.join(root, "cordon")], "linux")).toThrow(
    expect.objectContaining({ code: "CLIENT_MISSING" }),
  );
});

test("on Windows a command script is named as what cordon does not start", () => {
  const root = tree({ "npm.cmd": "" });
  expect(() => findBinary("npm", root, [], "win32")).toThrow(/npm\.cmd is a command script/);
});

test("the version is the carrying package's; the client is asked only when no package carries it", async () => {
  const root = machine({
    "pnpm/package.json": { name: "@pnpm/exe.linux-x64", version: "12.21.0" },
    "pnpm/pnpm": program("0.0.0"),
    "tools/bun": program("1.4.5"),
    "tools/deno": program("deno 2.9.6 (stable, release, x86_64)"),
    "home/package.json": { name: "someones-home", version: "9.9.9" },
    "home/bin/npm": program("10.9.9"),
    "home/bin/npx": program("do not ask me"),
    "mute/yarn": "#!/bin/sh\nexit 1\n",
  });
  expect(await find("pnpm", root, ["pnpm"])).toMatchObject({ client: "pnpm", version: "12.21.0", major: 12 });
  expect(fs.existsSync(path.join(root, "pnpm/ran"))).toBe(false);
  expect(await find("bun", root, ["tools"])).toMatchObject({ client: "bun", version: "1.4.5" });
  expect(await find("deno", root, ["tools"])).toMatchObject({ client: "deno", version: "2.9.6" });
  expect(await find("npx", root, ["home/bin"])).toMatchObject({ client: "npm", version: "10.9.9" });
  expect(await find("yarn", root, ["mute"])).toMatchObject({ client: "yarn-classic", version: undefined, major: undefined });
});

test("yarn: the file a project names, then the binary, then what the project was made with", async () => {
  const root = machine({
    "one/package.json": { name: "yarn", version: "1.22.22" },
    "one/yarn": program("1.22.22"),
    "four/package.json": { name: "@yarnpkg/cli-dist", version: "4.18.1" },
    "four/yarn": program("4.18.1"),
    "corepack/package.json": { name: "corepack", version: "0.34.0" },
    "corepack/yarn": program("1.22.22"),
    "mute/yarn": "#!/bin/sh\nexit 1\n",
    "plain/package.json": {},
    "named/.yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.2.0.cjs\n",
    "back/.yarnrc.yml": "yarnPath: .yarn/releases/yarn-1.22.19.cjs\n",
    "old/.yarnrc": 'yarn-path ".yarn/releases/yarn-3.8.0.cjs"\n',
    "unnamed/.yarnrc.yml": "yarnPath: .yarn/releases/yarn-berry.cjs\n",
    "field/package.json": { packageManager: "yarn@4.1.0+sha512.aa" },
    "berrylock/yarn.lock": "# generated\n\n__metadata:\n  version: 8\n",
    "classiclock/yarn.lock": "# yarn lockfile v1\n",
  });
  const yarn = async (folder: string, project: string): Promise<string> => {
    const found = await find("yarn", root, [folder], project);
    return `${found.client} ${found.version}`;
  };
  expect(await yarn("one", "plain")).toBe("yarn-classic 1.22.22");
  expect(await yarn("four", "plain")).toBe("yarn-berry 4.18.1");
  expect(await yarn("four", "classiclock")).toBe("yarn-berry 4.18.1");
  expect(await yarn("one", "named")).toBe("yarn-berry 4.2.0");
  expect(await yarn("four", "back")).toBe("yarn-classic 1.22.19");
  expect(await yarn("one", "old")).toBe("yarn-berry 3.8.0");
  expect(await yarn("one", "unnamed")).toBe("yarn-berry undefined");
  expect(await yarn("corepack", "field")).toBe("yarn-berry 4.1.0");
  expect(await yarn("corepack", "plain")).toBe("yarn-classic 1.22.22");
  expect(await yarn("mute", "berrylock")).toBe("yarn-berry undefined");
  expect(await yarn("mute", "classiclock")).toBe("yarn-classic undefined");
});

test("pnpm changes itself to the version a project names", async () => {
  const root = machine({
    "pnpm/package.json": { name: "pnpm", version: "10.34.9" },
    "pnpm/pnpm": program("10.34.9"),
    "field/package.json": { packageManager: "pnpm@9.1.0" },
    "other/package.json": { packageManager: "npm@9.1.0" },
  });
  expect((await find("pnpm", root, ["pnpm"], "field")).version).toBe("9.1.0");
  expect((await find("pnpm", root, ["pnpm"], "other")).version).toBe("10.34.9");
});

test("a client's folder of global installs is what it says, if it says an absolute path", async () => {
  const root = machine({
    "a/package.json": { name: "npm", version: "11.0.0" },
    "a/npm": '#!/bin/sh\necho notice\necho "/g/$*"\n',
    "b/package.json": { name: "npm", version: "11.0.0" },
    "b/npm": program("no path"),
  });
  const env = { PATH: "/bin:/usr/bin" };
  expect(await globalRoot(await find("npm", root, ["a"]), root, env, ["i", "-g", "tool"])).toBe("/g/root -g");
  expect(await globalRoot(await find("npm", root, ["a"]), root, env, ["i", "-g", "--prefix", "x", "tool"])).toBe("/g/root -g --prefix=x");
  expect(await globalRoot(await find("npm", root, ["b"]), root, env, [])).toBeUndefined();
});
