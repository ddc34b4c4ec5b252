/** Prometheus metrics. Plain counters are kept on the hot path; this reads them when asked. No package name is ever a label. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Counters } from "../../app/recorder.ts";

export type MetricSources = {
  readonly counters: Counters;
  /** Bytes of finished answers in memory. */
  readonly cacheBytes: () => number;
  /** Versions held back now. */
  readonly held: () => Promise<number>;
};

const HELP: { readonly [key in keyof Counters]: readonly [string, string] } = {
  packuments: ["cordon_packuments_served_total", "Packuments answered"],
  warm: ["cordon_packuments_warm_total", "Packuments answered from memory"],
  tarballs: ["cordon_tarballs_served_total", "Tarballs served"],
  tarballBytes: ["cordon_tarball_bytes_total", "Bytes of tarballs served"],
  refused: ["cordon_refused_total", "Requests refused by a verdict"],
  mismatches: ["cordon_mismatches_total", "Requests whose lockfile expected other bytes"],
  alerts: ["cordon_alerts_total", "Alerts raised"],
  upstreamFailures: ["cordon_upstream_failures_total", "Upstream requests that failed after the last try"],
};

export function metrics(sources: MetricSources): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "cordon_" });
  for (const [key, [name, help]] of Object.entries(HELP) as [keyof Counters, readonly [string, string]][]) {
    registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(sources.counters[key]);
        },
      }),
    );
  }
  registry.registerMetric(
    new Gauge({
      name: "cordon_cache_bytes",
      help: "Bytes of finished packuments in memory",
      registers: [],
      collect() {
        this.set(sources.cacheBytes());
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "cordon_held_versions",
      help: "Versions asked for and held back",
      registers: [],
      async collect() {
        this.set(await sources.held());
      },
    }),
  );
  return () => registry.metrics();
}
