/** The ceilings of the upstream client, explained in `core/base/limits.ts`. The product passes `LIMITS`; tests pass smaller ones. */
export type UpstreamLimits = Readonly<
  Record<
    | "packumentBytes"
    | "tarballBytes"
    | "upstreamAnswerBytes"
    | "upstreamConnectMs"
    | "upstreamHeadersMs"
    | "upstreamIdleMs"
    | "upstreamPackumentMs"
    | "upstreamTarballMs"
    | "upstreamTries"
    | "upstreamBackoffMs"
    | "upstreamRetryAfterMs"
    | "upstreamInFlight"
    | "upstreamTarballsInFlight"
    | "tarballRedirects",
    number
  >
>;
