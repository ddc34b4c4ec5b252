import { expect, test } from "vitest";
import { openTurnstile } from "./turnstile.ts";

const never = new AbortController().signal;

/** Enters without waiting; `order` gets the label once inside. */
function visitor(turnstile: ReturnType<typeof openTurnstile>, order: string[]) {
  return (lane: string, label: string) =>
    turnstile.enter(lane, never).then((leave) => {
      order.push(label);
      return leave;
    });
}

test("no more than the capacity are inside; the lane with the fewest goes first, each lane in order", async () => {
  const order: string[] = [];
  const enter = visitor(openTurnstile(2), order);
  const [one, two] = await Promise.all([enter("a", "a1"), enter("a", "a2")]);
  const later = [enter("a", "a3"), enter("a", "a4"), enter("b", "b1")];
  await Promise.resolve();
  expect(order).toEqual(["a1", "a2"]);
  one();
  one();
  const b1 = await later[2]!;
  expect(order).toEqual(["a1", "a2", "b1"]);
  two();
  b1();
  await Promise.all(later);
  expect(order).toEqual(["a1", "a2", "b1", "a3", "a4"]);
});

test("a lane's own ceiling leaves room for the others", async () => {
  const order: string[] = [];
  const enter = visitor(openTurnstile(3, { slow: 1 }), order);
  const first = await enter("slow", "s1");
  const second = enter("slow", "s2");
  await Promise.all([enter("quick", "q1"), enter("quick", "q2")]);
  expect(order).toEqual(["s1", "q1", "q2"]);
  first();
  await second;
  expect(order).toEqual(["s1", "q1", "q2", "s2"]);
});

test("who gives up waiting takes no place", async () => {
  const turnstile = openTurnstile(1);
  const leave = await turnstile.enter("a", never);
  const impatient = new AbortController();
  const waiting = turnstile.enter("a", impatient.signal);
  impatient.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(turnstile.enter("a", impatient.signal)).rejects.toThrow("enough");
  leave();
  await expect(turnstile.enter("a", never)).resolves.toBeTypeOf("function");
});
