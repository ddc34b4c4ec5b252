/** Why a connection failed, in words a person can act on. Nothing of a URL but its host is repeated: the rest may hold a secret. */
import { Fault } from "../../core/base/fault.ts";
import { headerText, redact } from "../../core/base/text.ts";
import { span } from "../../core/base/time.ts";
import { PRIVATE_ADDRESS } from "./addresses.ts";
import type { UpstreamLimits } from "./limits.ts";

export type Failure = {
  readonly message: string;
  /** Another try may go better. */
  readonly passing: boolean;
};

const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Node's names for a certificate that was not accepted. */
const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** Throws what is no failed connection but a mistake of ours: it must not pass for an upstream that is down. */
export function explainFailure(error: unknown, host: string, limits: UpstreamLimits): Failure {
  if (error instanceof Fault) return { message: error.message, passing: false };
  const { code, message } = facts(error);
  if (code === "" && MISTAKES.some((kind) => error instanceof kind)) throw error;
  if (CERTIFICATE.test(code))
    return {
      message: `the certificate of ${host} cannot be verified (${code}); name your authority with npm's cafile or NODE_EXTRA_CA_CERTS`,
      passing: false,
    };
  switch (code) {
    case PRIVATE_ADDRESS:
      return { message: `${host} leads to an address inside a private network; it is not followed`, passing: false };
    case "ECONNREFUSED":
      return { message: `${host} refuses connections`, passing: true };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { message: `the name ${host} cannot be resolved`, passing: true };
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return { message: `${host} accepts no connection within ${wait(limits.upstreamConnectMs)}`, passing: true };
    case "UND_ERR_HEADERS_TIMEOUT":
      return { message: `${host} sent no answer within ${wait(limits.upstreamHeadersMs)}`, passing: true };
    case "UND_ERR_BODY_TIMEOUT":
      return { message: `${host} stopped sending for ${wait(limits.upstreamIdleMs)}`, passing: true };
    case "UND_ERR_SOCKET":
    case "UND_ERR_RES_CONTENT_LENGTH_MISMATCH":
    case "ECONNRESET":
    case "EPIPE":
      return { message: `${host} closed the connection before the answer was complete`, passing: true };
    case "Z_DATA_ERROR":
    case "Z_BUF_ERROR":
      return { message: `${host} sent damaged gzip data`, passing: true };
    case "UND_ERR_ABORTED":
      // undici reports a proxy's refusal of a tunnel under this code.
      return { message: `${host} cannot be reached through the proxy: ${message}`, passing: true };
    default:
      return { message: `${host} does not answer as a registry (${code || message})`, passing: true };
  }
}

/** `300 ms`, `30 s`, `2 min`. */
export function wait(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds} ms` : span(milliseconds);
}

function facts(error: unknown): { code: string; message: string } {
  const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
  // undici wraps what the socket or the certificate check said.
  if (typeof code !== "string" && cause !== undefined) return facts(cause);
  return { code: typeof code === "string" ? code : "", message: headerText(redact(String(message))) };
}
