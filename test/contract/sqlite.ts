/** Opens the SQLite stores for the contract suites. */
import { onTestFinished } from "vitest";
import { openStore } from "../../src/edge/store/open.ts";
import { testClock } from "../kit/clock.ts";
import { tempFolder } from "../kit/temp.ts";
import type { Opened } from "./opened.ts";

export type Store = Awaited<ReturnType<typeof openStore>>;

export async function openForTest<Part>(part: (store: Store) => Part): Promise<Opened<Part>> {
  const dataDir = tempFolder();
  const clock = testClock("2026-03-31T12:00:00Z");
  const again = async (): Promise<Part> => {
    const store = await openStore({ dataDir, clock });
    onTestFinished(() => store.close());
    return part(store);
  };
  return { store: await again(), again, clock };
}
