/** The gate a wrapped run stands behind: the one the project is set up for, else a live one on the data directory, else one for this run. */
import { Fault } from "../../core/base/fault.ts";
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../../core/config/constants.ts";
import { startGate } from "../gate/start.ts";
import type { CommandContext } from "./command.ts";
import type { GateApi } from "./gate-api.ts";
import type { OpenApp, ProjectOnDisk, World } from "./world.ts";

export type Session = {
  readonly api: GateApi;
  /** The gate's upstream, base URL. */
  readonly upstream: string;
  /** Scopes with a registry of their own that the gate asks, and those registries' bases. */
  readonly scopes: readonly string[];
  readonly scoped: readonly string[];
  /** The project's label at a gate it is set up for. */
  readonly label?: string;
  /** Everything the gate sees is this run's. */
  readonly own: boolean;
  close(): Promise<void>;
};

/** Ports tried for a gate of one run: fixed ones first, because pnpm, bun and deno key their caches by the registry's address. */
const RUN_PORTS = [4880, 4881, 4882, 4883, 4884, 4885, 4886, 4887, 0];

export async function openSession({ io, world, flags }: CommandContext, project: ProjectOnDisk): Promise<Session> {
  // These flags only a gate of our own can obey.
  const found =
    flags.upstream === undefined && flags.config === undefined && flags.offline !== true
      ? await standingGate(world, flags, project)
      : undefined;
  if (found) return found;
  const app = await world.open(flags);
  try {
    return await ownGate(app, { io, world, flags });
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function standingGate(world: World, flags: CommandContext["flags"], project: ProjectOnDisk): Promise<Session | undefined> {
  for (const { url, byProject } of new Map(project.registries.map((one) => [one.url, one])).values()) {
    // A project must not choose who decides: anybody can answer as a gate, and would be asked whatever a checkout says.
    if (!mayBeGate(url) || (byProject && !(await world.isOwnGate(url)))) continue;
    const api = await world.gateApi(url);
    if (api.answers) return shared(api, /\/p\/([^/]+)\/npm\/?$/.exec(new URL(url).pathname)?.[1]);
  }
  const live = await world.liveGate(await world.dataDir(flags));
  const api = live && (await world.gateApi(live.url));
  return api?.answers ? shared(api) : undefined;
}

/** The public registries are none, and are not asked more than needed. */
function mayBeGate(url: string): boolean {
  return /^https?:/.test(url) && URL.canParse(url) && ![NPM_REGISTRY_HOST, YARN_REGISTRY_HOST].includes(new URL(url).hostname);
}

function shared(api: GateApi, label?: string): Session {
  return {
    api,
    upstream: api.upstream,
    scopes: [],
    scoped: [],
    own: false,
    close: async () => {},
    ...(label === undefined ? {} : { label }),
  };
}

async function ownGate(app: OpenApp, { io, world }: CommandContext): Promise<Session> {
  const { settings, upstream } = app;
  const log = world.log(io.env["CORDON_LOG_LEVEL"] ?? "error");
  for (const port of RUN_PORTS) {
    const gate = await startGate({
      app,
      at: { host: "127.0.0.1", port },
      publicUrls: [],
      behindProxy: false,
      // Where the upstream is the public registry its URLs are portable as they are; any other is put back when the client ends.
      lockfileUrls: upstream.base === NPM_REGISTRY ? "public" : "self",
      requireTokens: false,
      role: "run",
      upstream: upstream.base,
      hopHeader: world.hopHeader,
      maxHops: world.maxHops,
      logRequests: settings.log.level === "debug",
      log,
      whose: async () => undefined,
    }).catch((error: unknown) => {
      if (error instanceof Fault && error.code === "PORT_IN_USE" && port !== 0) return undefined;
      throw error;
    });
    if (!gate) continue;
    return {
      api: await world.gateApi(gate.url),
      upstream: upstream.base,
      scopes: upstream.scopes,
      scoped: upstream.scoped,
      own: true,
      async close() {
        await gate.close(1_000);
        await app.close();
      },
    };
  }
  throw new Fault("PORT_IN_USE", "no port is free for a gate");
}
