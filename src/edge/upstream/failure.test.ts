import { expect, test } from "vitest";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { explainFailure } from "./failure.ts";

const explain = (error: unknown) => explainFailure(error, "npm.corp.test", LIMITS);
const failed = (code: string, message = "") => Object.assign(new Error(message), { code });

test("passing failures are tried again, the others not", () => {
  expect(explain(failed("ECONNRESET")).passing).toBe(true);
  expect(explain(failed("EAI_AGAIN"))).toEqual({ message: "the name npm.corp.test cannot be resolved", passing: true });
  expect(explain(failed("CERT_HAS_EXPIRED"))).toMatchObject({ passing: false, message: expect.stringContaining("CERT_HAS_EXPIRED") });
  expect(explain(new Fault("INPUT_TOO_LARGE", "too much"))).toEqual({ message: "too much", passing: false });
});

test("what the wrapped error says counts", () => {
  const outer = new TypeError("fetch failed");
  outer.cause = failed("ECONNREFUSED");
  expect(explain(outer).message).toBe("npm.corp.test refuses connections");
});

test("waits are named with their unit", () => {
  expect(explain(failed("UND_ERR_HEADERS_TIMEOUT")).message).toBe("npm.corp.test sent no answer within 30 s");
});

test("neither secrets nor control characters are repeated", () => {
  const { message } = explain(failed("UND_ERR_ABORTED", "http://u:hush@proxy.test\r\nx: y \u001b[31m"));
  expect(message).toBe("npm.corp.test cannot be reached through the proxy: http://[secret]@proxy.testx: y [31m");
});

test("a mistake of ours is no upstream that is down", () => {
  expect(() => explain(new TypeError("x is not a function"))).toThrow("x is not a function");
});
