/**
 * Responses on disk: `<data>/responses/<plan id>/` with the plan, the pack it was made from and a journal that is only appended to.
 * Trusted: yes, but a plan that is not the one its id names is refused, and so is a journal whose chain breaks. Losable: no.
 */
import fs from "node:fs";
import path from "node:path";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import { type IncidentPack, packText, readPack } from "../../core/incident/pack.ts";
import { isWhole, type Plan } from "../../core/response/plan.ts";
import { eventLine, type Journal, readJournal, type ResponseEvent } from "../../core/response/journal.ts";
import { type Lock, takeLock } from "../feeds/lock.ts";
import { codeOf, readText, writeText } from "../host/files.ts";

const ID = /^[0-9a-f]{4,12}$/;

export function openResponseStore(dataDir: string, clock: Clock) {
  const root = path.join(dataDir, "responses");

  function folderOf(id: string): string {
    return path.join(root, id);
  }

  function ids(): readonly string[] {
    return fs.existsSync(root)
      ? fs
          .readdirSync(root)
          .filter((name) => /^[0-9a-f]{12}$/.test(name))
          .toSorted()
      : [];
  }

  function exact(prefix: string): string {
    if (!ID.test(prefix)) throw new Fault("USAGE", `${prefix} is no id of a plan: at least the first four digits of it`);
    const fitting = ids().filter((id) => id.startsWith(prefix));
    if (fitting.length === 1) return fitting[0]!;
    throw new Fault("USAGE", fitting.length === 0 ? `no plan ${prefix} is kept here` : `${fitting.join(" and ")} begin with ${prefix}`);
  }

  function planOf(id: string): Plan {
    const file = path.join(folderOf(id), "plan.json");
    let plan: Plan;
    try {
      plan = JSON.parse(readText(file, LIMITS.responseBytes) ?? "") as Plan;
    } catch (error) {
      throw new Fault("STORE_BROKEN", `${file} cannot be read`, error);
    }
    if (plan.id !== id || !isWhole(plan)) throw new Fault("STORE_BROKEN", `${file} is not the plan that ${id} names: it was changed`);
    return plan;
  }

  function packOf(id: string): IncidentPack {
    const file = path.join(folderOf(id), "incident.json");
    const read = readPack(readText(file, LIMITS.advisoryBytes) ?? "");
    if ("problems" in read) throw new Fault("STORE_BROKEN", `${file}: ${read.problems.join("; ")}`);
    return read.pack;
  }

  function journalOf(id: string): Journal {
    return readJournal(readText(path.join(folderOf(id), "events.jsonl"), LIMITS.responseBytes) ?? "", id);
  }

  return {
    /** Where evidence of a plan is kept. */
    evidenceFolder: (id: string): string => path.join(folderOf(id), "evidence"),

    /** Where the checkout of a step lies while its branch is made. */
    worktreeFolder: (id: string, step: string): string => path.join(folderOf(id), `checkout-${step}`),

    /** The plan and the pack it was made from: part of what a third party needs. */
    filesOf: (id: string): readonly string[] => ["plan.json", "incident.json"].map((name) => path.join(folderOf(id), name)),

    async open(plan: Plan, pack: IncidentPack): Promise<void> {
      const folder = folderOf(plan.id);
      try {
        fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
        if (fs.existsSync(path.join(folder, "plan.json"))) return;
        writeText(path.join(folder, "incident.json"), packText(pack));
        writeText(path.join(folder, "plan.json"), `${JSON.stringify(plan, undefined, 2)}\n`);
      } catch (error) {
        throw new Fault("STORE_BROKEN", `${folder}: ${codeOf(error)}`, error);
      }
    },

    async read(prefix: string) {
      const id = exact(prefix);
      return { plan: planOf(id), pack: packOf(id), ...journalOf(id) };
    },

    async list(incident: string): Promise<readonly string[]> {
      return ids().filter((id) => fs.existsSync(path.join(folderOf(id), "plan.json")) && planOf(id).incident.id === incident);
    },

    async append(id: string, event: ResponseEvent): Promise<void> {
      const file = path.join(folderOf(id), "events.jsonl");
      for (let tries = 0; tries < LIMITS.responseAppends; tries += 1) {
        const { head, broken } = journalOf(id);
        if (broken !== undefined)
          throw new Fault("STORE_BROKEN", `${file}: ${broken}; nothing more is written to it, and --report tells what stood before`);
        const line = eventLine(event, head);
        try {
          const descriptor = fs.openSync(file, "a", 0o600);
          try {
            // One write with O_APPEND is never mixed with another's; the line end before it keeps it off a line that a crash cut short.
            fs.writeSync(descriptor, `\n${line}\n`);
            fs.fsyncSync(descriptor);
          } finally {
            fs.closeSync(descriptor);
          }
        } catch (error) {
          throw new Fault("STORE_BROKEN", `${file}: ${codeOf(error)}`, error);
        }
        // Somebody else's line may have come in between: then his counts, and ours is written once more behind it.
        if (journalOf(id).digests.has(sha256(line))) return;
      }
      throw new Fault("STORE_BROKEN", `${file}: others write to it without end`);
    },

    hold: (id: string, step: string): Promise<Lock | undefined> => takeLock(path.join(folderOf(id), `${step}.lock`), clock.now()),

    async write(id: string, name: string, text: string): Promise<string> {
      const file = path.join(folderOf(id), name);
      try {
        writeText(file, text);
      } catch (error) {
        throw new Fault("STORE_BROKEN", `${file}: ${codeOf(error)}`, error);
      }
      return file;
    },
  };
}
