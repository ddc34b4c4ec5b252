/** Reads feeds in a process of its own: hundreds of thousands of records cost seconds and memory that a gate that answers does not have. */
import { spawn } from "node:child_process";
import type { FeedOutcome } from "../../core/advisory/feeds.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { printable, redact } from "../../core/base/text.ts";

export type Apart = {
  /** The executable, and what of the command line it is to be told: the same data directory and configuration. */
  readonly program: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
};

/** More than all outcomes of all feeds. */
const OUTPUT_BYTES = 4_000_000;

/** Runs `cordon feeds sync --due`. Raises INPUT_UNREADABLE when it says nothing that can be read. */
export async function syncApart({ program, flags, env, cwd }: Apart, signal: AbortSignal): Promise<readonly FeedOutcome[]> {
  const child = spawn(process.execPath, [program, "feeds", "sync", "--due", "--json", ...flags], {
    cwd,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    timeout: 2 * LIMITS.feedMs,
  });
  const [said, wrong] = [keep(child.stdout), keep(child.stderr)];
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const outcomes = outcomesIn(said());
  if (outcomes) return outcomes;
  const why = redact(printable(wrong().trim().slice(0, LIMITS.phraseChars)));
  throw new Fault("INPUT_UNREADABLE", `cordon feeds sync ended with ${status ?? "a signal"}${why === "" ? "" : `: ${why}`}`);
}

function keep(stream: NodeJS.ReadableStream): () => string {
  const parts: Buffer[] = [];
  let size = 0;
  stream.on("data", (part: Buffer) => {
    if ((size += part.length) <= OUTPUT_BYTES) parts.push(part);
  });
  return () => Buffer.concat(parts).toString("utf8");
}

function outcomesIn(text: string): readonly FeedOutcome[] | undefined {
  try {
    const value = JSON.parse(text) as { readonly feeds?: readonly FeedOutcome[] };
    return Array.isArray(value.feeds) ? value.feeds : undefined;
  } catch {
    return undefined; // said by whoever called, with what was on the other stream
  }
}
