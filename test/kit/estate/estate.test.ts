/** The part of the estate that needs neither git nor a client; `test/clients/estate.test.ts` has it whole. */
import { expect, test } from "vitest";
import { openEstate, planted } from "./estate.ts";
import { lockfileRows } from "./lockfiles.ts";
import { placeRows } from "./places.ts";

test("every place gets its planted answer, and nothing else is said", async () => {
  const { build, ask } = await openEstate();
  const rows = build((bytes) => [...lockfileRows(bytes), ...placeRows(bytes)]);
  const { answers, code } = await ask();
  expect(answers).toEqual(planted(rows));
  expect(code).toBe(1);
});
