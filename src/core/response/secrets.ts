/**
 * What could be stolen from an exposed place: names of secrets and where they lie, never their values. The payload had them all, so all are
 * replaced, those that reach most people first.
 */
import * as yaml from "yaml";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";

/** In blast-radius order: a publish token reaches every user of a package, a database reaches its own data. */
export const REACHES = ["publish", "source", "cloud", "machines", "data", "other"] as const;
export type Reach = (typeof REACHES)[number];

export type Secret = {
  readonly reach: Reach;
  /** Its name where it lies: a key, a variable, a profile, a file. */
  readonly name: string;
  /** Absolute; `environment` for variables of the process. */
  readonly file: string;
};

const BY_NAME: readonly (readonly [RegExp, Reach])[] = [
  [/npm|node_auth|yarn|pypi|cargo|twine|rubygems|nuget/i, "publish"],
  [/^gh_|github|gitlab|bitbucket|^git_|deploy_key/i, "source"],
  [/aws|azure|gcp|google|cloud|vercel|netlify|heroku|digitalocean|kube|terraform|fly_/i, "cloud"],
  [/ssh|id_(?:rsa|dsa|ecdsa|ed25519)|docker|registry/i, "machines"],
  [/database|db_|_db|postgres|pg|mysql|mongo|redis|sql|dsn/i, "data"],
];

/** Names of variables whose value is worth stealing. */
const SECRET_NAME =
  /token|secret|passw|passphrase|credential|api_?key|access_?key|private_?key|_key$|^key$|auth(?!or(?!iz))|dsn|database_url|webhook/i;

/** The reader of a file's text by the file's name; undefined when nothing of it holds secrets. */
export function secretsIn(file: string, text: string): readonly Secret[] {
  const base = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  const names = namesIn(file.replaceAll("\\", "/"), base, text);
  return [...new Set(names)].slice(0, LIMITS.responseSecrets).map((name) => secret(name, file, base));
}

/** Files that are secret whole: a key, a keyring. */
export function secretFile(file: string): Secret {
  const base = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  return secret(base, file, file);
}

/** Variables of a process, by name. */
export function secretVariables(names: readonly string[]): readonly Secret[] {
  return names.filter((name) => SECRET_NAME.test(name)).map((name) => secret(name, "environment", name));
}

function namesIn(file: string, base: string, text: string): readonly string[] {
  if (base === ".npmrc" || base === "npmrc") return npmrcNames(text);
  if (base === ".yarnrc.yml") return [...text.matchAll(/\b(npmAuthToken|npmAuthIdent)\s*:/g)].map((match) => match[1]!);
  if (/^\.env(?:\..+)?$/.test(base)) return envNames(text);
  if (/\/\.github\/workflows\/[^/]+\.ya?ml$/.test(file)) return workflowNames(text);
  if (/\/\.aws\/(?:credentials|config)$/.test(file) || base === ".pypirc") return sectionNames(text);
  if (base === ".netrc" || base === "_netrc") return [...text.matchAll(/\bmachine\s+(\S+)/g)].map((match) => tidy(match[1]!));
  if (base === ".git-credentials") return [...text.matchAll(/@([a-z0-9.-]+)/gi)].map((match) => tidy(match[1]!));
  if (file.endsWith("/gh/hosts.yml") || file.endsWith("/.docker/config.json")) return yamlNames(file, text);
  return [];
}

/** `//host/:_authToken`, `_auth`: the key is told, what stands behind the equals sign is not looked at. */
function npmrcNames(text: string): readonly string[] {
  return keys(text).filter((key) => /(?:^|:)_(?:authToken|auth|password)$/.test(key));
}

function envNames(text: string): readonly string[] {
  return keys(text)
    .map((key) => key.replace(/^export\s+/, ""))
    .filter((key) => /^[A-Za-z_][\w.]*$/.test(key) && SECRET_NAME.test(key));
}

/** The left sides of `key = value` lines. */
function keys(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const at = line.indexOf("=");
    const key = line.slice(0, at).trim();
    return at > 0 && !key.startsWith("#") && !key.startsWith(";") ? [tidy(key)] : [];
  });
}

/** Secrets a workflow is given, and the token every job has. */
function workflowNames(text: string): readonly string[] {
  const named = [...text.matchAll(/\bsecrets\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*['"]([A-Za-z_]\w*)['"]\s*\])/g)];
  const inherits = /\bsecrets\s*:\s*inherit\b/.test(text) ? ["every secret (secrets: inherit)"] : [];
  return [...named.map((match) => match[1] ?? match[2]!), ...inherits, ...(/\bid-token\s*:\s*write\b/.test(text) ? ["OIDC identity"] : [])];
}

function sectionNames(text: string): readonly string[] {
  return [...text.matchAll(/^\s*\[([^\]\n]{1,200})\]/gm)].map((match) => tidy(match[1]!));
}

/** Hosts that a file of logins names: its top level, or what stands below `auths`. */
function yamlNames(file: string, text: string): readonly string[] {
  let value: unknown;
  try {
    value = yaml.parse(text, { maxAliasCount: 0 });
  } catch {
    return [`logins that cannot be read (${tidy(file.slice(file.lastIndexOf("/") + 1))})`];
  }
  if (typeof value !== "object" || value === null) return [];
  const inner: unknown = "auths" in value ? value.auths : "credsStore" in value ? {} : value;
  return typeof inner === "object" && inner !== null ? Object.keys(inner).map(tidy) : [];
}

function tidy(name: string): string {
  return printable(name.trim()).slice(0, LIMITS.nameChars);
}

function secret(name: string, file: string, hint: string): Secret {
  return { reach: reachOf(name, hint, file.replaceAll("\\", "/")), name, file };
}

function reachOf(name: string, hint: string, file: string): Reach {
  if (/(?:^|\/)\.?npmrc$|\.yarnrc\.yml$|\.pypirc$/.test(file)) return "publish";
  if (/\/gh\/hosts\.yml$|\.git-credentials$/.test(file)) return "source";
  if (/\/\.aws\/|\/gcloud\/|\/\.azure\/|\/\.kube\//.test(file)) return "cloud";
  if (/\/\.ssh\/|\/\.docker\/|netrc$/.test(file)) return "machines";
  return BY_NAME.find(([shape]) => shape.test(name))?.[1] ?? BY_NAME.find(([shape]) => shape.test(hint))?.[1] ?? "other";
}

/** Widest reach first, then by name and place; each once. */
export function byReach(secrets: readonly Secret[]): readonly Secret[] {
  const unique = new Map(secrets.map((one) => [`${one.name}\n${one.file}`, one]));
  return [...unique.values()].toSorted(
    (a, b) => REACHES.indexOf(a.reach) - REACHES.indexOf(b.reach) || compare(a.name, b.name) || compare(a.file, b.file),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export type Rotation = { readonly title: string; readonly commands: readonly string[]; readonly done: string };

/** How secrets of one reach are replaced. Names are told in the commands where a command takes them. */
export function rotationOf(reach: Reach, secrets: readonly Secret[], incident: string): Rotation {
  const names = [...new Set(secrets.map(({ name }) => name))];
  const list = names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
  const variables = names.filter((name) => /^[A-Za-z_]\w*$/.test(name));
  switch (reach) {
    case "publish":
      return {
        title: `npm and other publish tokens: ${list}`,
        commands: [
          "npm login   (on the clean machine; then, for each token but that one)",
          `cordon respond ${incident} --tokens`,
          `cordon respond ${incident} --revoke <id>`,
          "npm profile get   (two-factor is on for writes)",
        ],
        done: `\`cordon respond ${incident} --tokens\` shows only tokens made after the isolation`,
      };
    case "source":
      return {
        title: `source hosts: ${list}`,
        commands: [
          "gh auth logout && gh auth login   (then end other sessions and tokens in the account's settings)",
          ...variables.filter((name) => name !== "GITHUB_TOKEN").map((name) => `gh secret set ${name}`),
        ],
        done: "the account's settings list no token, key or session from before the isolation",
      };
    case "cloud":
      return {
        title: `cloud credentials: ${list}`,
        commands: [
          "aws iam create-access-key   (then use it, then)",
          "aws iam update-access-key --status Inactive --access-key-id <old>   (then delete-access-key)",
        ],
        done: "the old keys answer that they are not valid, and the provider's log shows nobody else used them",
      };
    case "machines":
      return {
        title: `keys of machines and registries: ${list}`,
        commands: ["ssh-keygen -t ed25519   (then take the old public key out of every authorized_keys and account)"],
        done: "the old key is refused everywhere it was accepted",
      };
    case "data":
      return {
        title: `databases: ${list}`,
        commands: ["ALTER ROLE <role> PASSWORD …   (or what your database calls it), then restart what uses it"],
        done: "the old password is refused",
      };
    case "other":
      return { title: `other secrets: ${list}`, commands: [], done: "each issuer says the old one is no longer valid" };
  }
}
