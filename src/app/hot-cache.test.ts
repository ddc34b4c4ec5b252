import { expect, test } from "vitest";
import { hotCache } from "./hot-cache.ts";

test("stays under its byte limit, and what was used last stays longest", () => {
  const cache = hotCache<string>(10);
  cache.set("a", "A", 4);
  cache.set("b", "B", 4);
  expect(cache.get("a")).toBe("A");
  cache.set("c", "C", 4);
  expect(cache.get("b")).toBeUndefined();
  expect(cache.get("a")).toBe("A");
  expect(cache.get("c")).toBe("C");
  expect(cache.bytes).toBe(8);
  cache.set("huge", "H", 11);
  expect(cache.get("huge")).toBeUndefined();
  expect(cache.bytes).toBe(8);
});
