/** Install scripts nobody approved. */
import type { ResolvedPackage, ResolvedTree } from "../lockfile/tree.ts";
import type { ScriptApproval, ScriptApprovals } from "./manifest.ts";
import type { Report } from "./raw.ts";
import type { Asked } from "./satisfies.ts";

export function checkScripts(tree: ResolvedTree, approvals: ScriptApprovals, asked: Asked, report: Report): void {
  // deno runs no script that is not approved by name, unless all are.
  if (tree.kind === "deno" && !approvals.all) return;
  for (let index = 0; index < tree.packages.length; index++) {
    const entry = tree.packages[index]!;
    if (entry.hasInstallScript !== true || entry.source.kind === "link" || entry.source.kind === "workspace") continue;
    const names = (approval: ScriptApproval): boolean => covers(approval, entry, asked);
    // Who denies a script knows of it, and it does not run.
    if (approvals.denied.some(names)) continue;
    if (!approvals.all && approvals.allowed.some(names)) continue;
    const why = approvals.all
      ? "every script is allowed"
      : approvals.listed
        ? "it is not in the project's list"
        : "the project has no list";
    report({ rule: "install-script-unapproved", entry: index, message: `runs a script while it is installed; ${why}` });
  }
}

function covers({ name, range }: ScriptApproval, entry: ResolvedPackage, asked: Asked): boolean {
  if (name !== entry.name && name !== "*") return false;
  return range === undefined || (entry.version !== "" && asked.holds(range, entry.version));
}

/** Whether the file says which packages have install scripts: npm since 7, deno since 4, and pnpm before 9. */
export function saysScripts({ kind, version }: ResolvedTree): boolean {
  const major = Number.parseInt(version, 10);
  switch (kind) {
    case "package-lock":
    case "npm-shrinkwrap":
    case "npm-hidden":
      return major >= 2;
    case "pnpm":
      return major < 9;
    case "deno":
      return major >= 4;
    default:
      return false;
  }
}
