/**
 * Alerts that are not delivered yet, a file each: `<process>.<target>.<event>.json`. A process takes over what one that ended left by
 * renaming it, so each is taken once. Losable: the ledger holds every alert.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { DAY, type Instant } from "../../core/base/time.ts";
import { type Alert, alertDocument } from "../../core/ledger/alert.ts";
import { codeOf } from "../host/files.ts";

/** What nobody could be told for so long is no news: it stands in the ledger. */
const TOLD_WITHIN = 7 * DAY;

/** In a container every start has the same number: what follows it tells this process from the one before. */
const OWN = `${process.pid}-${randomBytes(4).toString("hex")}`;

type Log = (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;

/** A disk that refuses costs what is kept, never the telling itself: it is logged. */
export function openOutbox(folder: string, log: Log) {
  const pathOf = (target: string, alert: Alert) => join(folder, `${OWN}.${target}.${alertDocument(alert)["id"]}.json`);
  function quietly(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      log("error", what, { folder, error: codeOf(error) });
    }
  }
  return {
    /** Durable enough to outlive this process when it returns. */
    keep(target: string, alert: Alert): void {
      quietly("an alert that may not be delivered cannot be kept", () => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(pathOf(target, alert), JSON.stringify(alert), { mode: 0o600 });
      });
    },
    /** Delivered, or dropped. */
    done(target: string, alert: Alert): void {
      quietly("a delivered alert stays in the outbox", () => rmSync(pathOf(target, alert), { force: true }));
    },
    /** What processes that ended left; from now on this one's. Oldest first; what is too old or cannot be read is removed. */
    left(now: Instant): readonly { readonly target: string; readonly alert: Alert }[] {
      const found: { readonly target: string; readonly alert: Alert }[] = [];
      quietly("alerts of earlier runs cannot be read", () => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        for (const file of readdirSync(folder).toSorted()) {
          const [, whose, target, id] = /^(\d+-[0-9a-f]{8})\.(.+)\.([0-9a-f]{32})\.json$/.exec(file) ?? [];
          if (whose === undefined || isAlive(whose)) continue;
          const own = join(folder, `${OWN}.${target}.${id}.json`);
          if (!taken(join(folder, file), own)) continue;
          const alert = read(own);
          if (alert && now - alert.at <= TOLD_WITHIN && found.length < LIMITS.notifyQueue) found.push({ target: target!, alert });
          else rmSync(own, { force: true });
        }
      });
      return found.toSorted((a, b) => a.alert.at - b.alert.at);
    },
  };
}

/** Another gate may have been quicker. */
function taken(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function read(path: string): Alert | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Alert;
    return typeof value.at === "number" &&
      typeof value.what === "string" &&
      typeof value.name === "string" &&
      typeof value.detail === "string"
      ? value
      : undefined;
  } catch {
    return undefined; // cut short by the end of the process that wrote it; the ledger has it
  }
}

function isAlive(whose: string): boolean {
  const pid = Number.parseInt(whose, 10);
  if (pid === process.pid) return whose === OWN;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}
