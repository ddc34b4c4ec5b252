/**
 * Every way cordon can fail, in one table: exit status, HTTP status, and what the reader should do.
 * A verdict is not a fault: a refused install is a successful run that ends with exit 1.
 * Anything thrown that is not a Fault is a bug: the CLI exits 70, the gate answers that one request 500 and serves nothing.
 */

export const FAULTS = {
  USAGE: { exit: 2, http: 400, fix: "See `cordon --help`." },
  CONFIG_INVALID: { exit: 2, http: 500, fix: "Correct the file named above; `cordon policy check` tests it." },
  CONFIG_UNKNOWN_KEY: { exit: 2, http: 500, fix: "Rename or remove the key; `cordon policy init` writes every known one." },
  PROJECT_LOOSENS: { exit: 2, http: 500, fix: "Move the setting to the machine's cordon.yaml; a project may only tighten." },
  INPUT_UNREADABLE: { exit: 3, http: 502, fix: "Nothing was decided from it; repair or remove the source named above." },
  INPUT_TOO_LARGE: { exit: 3, http: 502, fix: "The source exceeds a fixed ceiling; see docs/reference/limits.md." },
  REQUEST_TOO_LARGE: { exit: 3, http: 413, fix: "Ask in smaller parts; the ceilings stand in docs/reference/limits.md." },
  NAME_INVALID: { exit: 2, http: 400, fix: "Write a package as name@version, e.g. axios@1.14.0." },
  NOT_FOUND: { exit: 3, http: 404, fix: "Check the spelling; the upstream registry does not know it." },
  UPSTREAM_DOWN: { exit: 3, http: 503, fix: "Retry later; versions already admitted and cached stay available." },
  UPSTREAM_REFUSED: { exit: 3, http: 502, fix: "Check the token and registry in your npm configuration." },
  UPSTREAM_REDIRECT: { exit: 3, http: 502, fix: "Add the host to upstream.redirects if you trust it." },
  UPSTREAM_LOOP: { exit: 2, http: 508, fix: "Point --upstream at a registry that is not this gate." },
  INTEGRITY_MISMATCH: { exit: 3, http: 403, fix: "Do not install it; run `cordon why <name@version>`." },
  OFFLINE: { exit: 3, http: 503, fix: "Run once without --offline, or ask for something already cached." },
  STORE_BROKEN: { exit: 3, http: 503, fix: "Run `cordon ledger verify`; restore the data directory from a backup if it fails." },
  DATA_UNUSABLE: { exit: 3, http: 503, fix: "Name a folder you can write to with --data DIR or CORDON_DATA." },
  STORE_NEWER: { exit: 2, http: 503, fix: "This data directory was written by a newer cordon; run that version." },
  PORT_IN_USE: { exit: 2, http: 500, fix: "Choose another with --listen HOST:PORT, or stop what is using it." },
  LISTEN_UNSAFE: { exit: 2, http: 500, fix: "Beyond loopback a gate needs client tokens and TLS, or behindProxy." },
  WORKER_FAILED: {
    exit: 3,
    http: 503,
    fix: "Retry; the document named above took too much time or memory, and nothing was decided from it.",
  },
  NEEDS_TERMINAL: { exit: 2, http: 403, fix: "Run it yourself in a terminal; loosening is never scripted." },
  CLIENT_MISSING: { exit: 2, http: 500, fix: "Install the package manager, or put it on PATH." },
  EDITED_SINCE: { exit: 1, http: 409, fix: "The file changed after cordon wrote it; restore it by hand from the text shown." },
} as const satisfies Record<string, { exit: 1 | 2 | 3; http: number; fix: string }>;

export type FaultCode = keyof typeof FAULTS;

export class Fault extends Error {
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.code = code;
  }
}
