/** Which clients a project uses, by what they left in its folder. Judged from names and one field; nothing is run. */
import type { ClientId } from "./client.ts";

export type ProjectMarks = {
  /** Names of the files in the project's folder. */
  readonly files: readonly string[];
  /** The `packageManager` field of package.json. */
  readonly packageManager?: string;
  /** Whether `yarn.lock` is of yarn 2 or later. */
  readonly berryLockfile: boolean;
};

export type ClientUse = {
  readonly client: ClientId;
  /** The file or field that says so. */
  readonly because: string;
};

/** Files only one client writes or reads; `.npmrc` is read by all but one and says nothing. */
const MARKS: readonly (readonly [file: string, client: ClientId])[] = [
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
  ["pnpm-lock.yaml", "pnpm"],
  ["pnpm-workspace.yaml", "pnpm"],
  [".yarnrc", "yarn-classic"],
  [".yarnrc.yml", "yarn-berry"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["bunfig.toml", "bun"],
  ["deno.lock", "deno"],
  ["deno.json", "deno"],
  ["deno.jsonc", "deno"],
];

/** The names `clientsInUse` looks for. */
export const MARK_FILES: readonly string[] = ["package.json", "yarn.lock", ...MARKS.map(([file]) => file)];

/** Each client once, with the first thing that shows it. npm when there is a package.json and no sign of any. */
export function clientsInUse({ files, packageManager, berryLockfile }: ProjectMarks): readonly ClientUse[] {
  const uses = MARKS.filter(([file]) => files.includes(file)).map(([file, client]): ClientUse => ({ client, because: file }));
  if (files.includes("yarn.lock")) uses.push({ client: berryLockfile ? "yarn-berry" : "yarn-classic", because: "yarn.lock" });
  const declared = /^(npm|pnpm|yarn|bun|deno)@(\d+)/.exec(packageManager ?? "");
  if (declared) uses.push({ client: clientOf(declared[1]!, Number(declared[2])), because: `packageManager ${declared[1]}@${declared[2]}` });
  if (uses.length === 0 && files.includes("package.json")) uses.push({ client: "npm", because: "package.json" });
  return uses.filter((use, index) => uses.findIndex((other) => other.client === use.client) === index);
}

function clientOf(name: string, major: number): ClientId {
  return name === "yarn" ? (major >= 2 ? "yarn-berry" : "yarn-classic") : (name as ClientId);
}
