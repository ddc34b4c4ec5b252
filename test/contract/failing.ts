/** An SQLite library that fails at its n-th call, as SQLite's own tests do it: whatever call that is, the promises above it hold. */
import { type Engine, type OpenEngine, sqliteEngine } from "../../src/edge/store/driver.ts";

/** Errors as both libraries report them: libsql's `rawCode`, Node's `errcode`. */
export const FAILURES: readonly (readonly [what: string, error: Error])[] = [
  ["disk full", Object.assign(new Error("database or disk is full"), { rawCode: 13 })],
  ["I/O error", Object.assign(new Error("disk I/O error"), { errcode: 10 + 256 * 3 })],
];

export type FailingEngine = {
  readonly open: OpenEngine;
  /** The n-th call from now on fails, once; 0 = none. */
  failAt(n: number): void;
  struck(): boolean;
};

export function failingEngine(error: Error): FailingEngine {
  const real = sqliteEngine();
  let left = 0;
  let struck = false;

  /** Fails instead of doing the work, so that what was to be done has not happened. */
  function step<T>(work: () => T): T {
    left -= 1;
    if (left !== 0) return work();
    struck = true;
    throw error;
  }

  return {
    open(path): Engine {
      const engine = step(() => real(path));
      return {
        exec: (sql) => step(() => engine.exec(sql)),
        prepare(sql) {
          const statement = step(() => engine.prepare(sql));
          return {
            get: (parameters) => step(() => statement.get(parameters)),
            all: (parameters) => step(() => statement.all(parameters)),
            run: (parameters) => step(() => statement.run(parameters)),
          };
        },
        close: () => engine.close(),
      };
    },
    failAt(n) {
      left = n;
      struck = false;
    },
    struck: () => struck,
  };
}
