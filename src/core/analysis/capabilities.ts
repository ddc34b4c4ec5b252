/** What code can do, and which of it together makes a pattern of attack: one table each, from which explanations are written. */

export const CAPABILITIES = {
  network: "talks to the network",
  process: "starts processes",
  "filesystem-outside": "reads or writes outside its folder",
  credentials: "names files or addresses that hold credentials",
  "npm-config": "names npm's own configuration file",
  "env-harvest": "takes the whole environment",
  "env-list": "goes through the names of all environment variables",
  "dynamic-code": "runs text as code",
  decoder: "decodes text it carries",
  "encoded-blob": "carries a long encoded text",
  "native-binary": "holds machine code",
  "self-publish": "publishes packages or manages registry tokens",
  persistence: "names places from which code is started again",
  "hook-file": "is a file that an editor or agent runs by itself",
  "alien-runtime": "fetches and runs another program",
  "agent-abuse": "starts a coding agent without its safeguards",
  "browser-hook": "replaces the browser's own network functions",
  wallet: "touches crypto wallets or rewrites their addresses",
  clipboard: "reads or writes the clipboard",
  destructive: "deletes what is not its own",
  "self-delete": "deletes or replaces its own files",
  "hidden-name": "puts together the name of something dangerous",
  "invisible-text": "holds text nobody can see",
  obfuscated: "is written so that nobody can read it",
} as const;

export type CapabilityId = keyof typeof CAPABILITIES;

export const CHAINS = {
  "secrets-out": "reaches for credentials or the whole environment, and sends data or starts processes",
  "secret-list": "reaches for several kinds of credentials",
  "decode-run": "decodes text and runs it as code",
  "fetch-run": "fetches something and runs it as code",
  "alien-run": "fetches another program and runs it",
  "publish-self": "publishes packages with what it finds",
  "wallet-hook": "replaces the browser's network functions and touches crypto wallets",
  "clipboard-swap": "uses the clipboard beside crypto addresses",
  "cover-up": "deletes itself beside network or another program",
  persist: "plants something that is started again, beside network, decoding, secrets or another program",
  wipe: "deletes the user's files",
  "hidden-text": "holds text nobody can see",
  unreadable: "is written so that nobody can read it",
  "editor-hook": "is run by an editor or agent that opens the folder",
} as const;

export type ChainId = keyof typeof CHAINS;
