/**
 * Which clients may be given public tarball URLs. npm ≥ 8 and deno map the public registry's host to the registry they are
 * configured for, so their lockfiles stay portable and their requests still come here; every other client would go straight to
 * the public host (T4, T5; measured), so it gets ours.
 */
import { NPM_REGISTRY } from "../../core/config/constants.ts";

/** The public base for those clients, undefined for all others. */
export function portableBase(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined) return undefined;
  if (userAgent.startsWith("Deno/")) return NPM_REGISTRY;
  const npm = /^npm\/(\d+)\./.exec(userAgent);
  // pnpm, yarn and bun name npm in their own User-Agent too, but never first.
  return npm && Number(npm[1]) >= 8 ? NPM_REGISTRY : undefined;
}
