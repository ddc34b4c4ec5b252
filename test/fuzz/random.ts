/** Random choices that a seed repeats: `CORDON_FUZZ_SEED=7 npm run test:fuzz`. */

export type Random = {
  /** Whole number in [0, below). */
  int(below: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Whole number in [0, below), small ones far more often. */
  small(below: number): number;
};

export const SEED = Number(process.env["CORDON_FUZZ_SEED"] ?? 20_260_331);

/** mulberry32: small, fast, and the same on every machine. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    chance: (probability) => next() < probability,
    pick: (from) => from[int(from.length)]!,
    small: (below) => Math.floor(next() ** 3 * below),
  };
}

/** What breaks readers of JSON and of HTTP. */
const PIECES = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ",",
  ":",
  "\\",
  "\\u0000",
  "\\ud800",
  "null",
  "true",
  "-0",
  "1e999",
  "0x1",
  "NaN",
  '"__proto__":{}',
  '"constructor":1',
  '"versions":{}',
  '"name":"evil"',
  '"latest":"9.9.9"',
  '"integrity":"sha512-"',
  "[".repeat(300),
  '{"a":'.repeat(300),
  "\u0000",
  "\r\n",
  "\n",
  " ",
  "\t",
  "%00",
  "%2f",
  "%2F",
  "%2e%2e",
  "../",
  "..\\",
  "//",
  "?",
  "#",
  "@",
  "\u202e",
  "é",
  "💥",
  "\ufeff",
  "-1",
  "4294967296",
  "99999999999999999999",
  "x".repeat(5_000),
] as const;

/** The text with a few accidents: bytes changed, spans lost, doubled or moved, something pushed in, the end cut off. */
export function mutated(text: string, dice: Random): string {
  let result = text;
  for (let left = 1 + dice.small(6); left > 0; left -= 1) {
    const at = dice.int(result.length + 1);
    const span = 1 + dice.small(Math.max(1, Math.min(400, result.length - at)));
    const before = result.slice(0, at);
    const after = result.slice(at);
    switch (dice.int(7)) {
      case 0:
        result = before + String.fromCharCode(dice.int(256)) + after.slice(1);
        break;
      case 1:
        result = before + after.slice(span);
        break;
      case 2:
        result = before + after.slice(0, span) + after;
        break;
      case 3: {
        const to = dice.int(after.length + 1);
        result = before + after.slice(span, span + to) + after.slice(0, span) + after.slice(span + to);
        break;
      }
      case 4:
        result = dice.chance(0.15) ? before : result;
        break;
      default:
        result = before + dice.pick(PIECES) + after;
    }
  }
  return result;
}
