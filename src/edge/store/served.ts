/** What a gate's ledger knows of poisoned versions: which it served, to whom, and when. Opened for reading only. */
import path from "node:path";
import { type Clock, iso } from "../../core/base/time.ts";
import type { Sighting } from "../../core/exposure/sighting.ts";
import type { Watch } from "../../core/exposure/watch.ts";
import { codeOf } from "../host/files.ts";
import { openStore } from "./open.ts";

export async function readLedgerEvidence({
  dataDir,
  clock,
  watch,
  see,
}: {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly watch: Watch;
  readonly see: (sighting: Sighting) => void;
}): Promise<void> {
  const place = path.join(dataDir, "ledger.db");
  try {
    const store = await openStore({ dataDir, clock, readOnly: true });
    try {
      let since: string | undefined;
      for await (const { chain, seq, entry } of store.ledger.export()) {
        since ??= iso(entry.at).slice(0, 10);
        if (entry.kind !== "serve" || !watch.hits(entry.name, entry.version, entry.integrity)) continue;
        const { name, version, integrity, at, asker } = entry;
        const who = [asker.project, asker.client, asker.from].filter((one) => one !== undefined).join(", ");
        see({
          kind: "package",
          place,
          form: "ledger",
          file: place,
          name,
          version,
          integrity,
          at,
          note: `row ${seq} of ${chain}${who === "" ? "" : `, to ${who}`}`,
        });
      }
      see({
        kind: "looked",
        place,
        what: since === undefined ? "the gate has served nothing yet" : `the gate served none of them since ${since}`,
      });
    } finally {
      await store.close();
    }
  } catch (error) {
    see({ kind: "missing", place, what: `the gate's ledger: ${codeOf(error)}` });
  }
}
