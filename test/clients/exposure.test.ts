/** Where each real client leaves traces: in the project, and, when a person has deleted all of that, in its cache. */
import { expect, test } from "vitest";
import { availableClients, clientEnv, missingClients } from "./clients.ts";
import { all, LOCKFILE, type Stage, stage } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

type Place = {
  readonly place: string;
  readonly level: string;
  readonly evidence: readonly { readonly text: string }[];
  readonly missing: readonly string[];
};

async function exposed({ product, client, home, cwd }: Stage, incident: string): Promise<readonly Place[]> {
  const ran = await product.cordon(["exposure", incident, ".", "--json"], { cwd, env: clientEnv(client, home) });
  return (JSON.parse(ran.stdout) as { readonly places: readonly Place[] }).places;
}

/** Places of the client's own, in its home, that say what they hold. */
const kept = (places: readonly Place[], { home }: Stage): readonly string[] =>
  places.filter(({ place, level }) => place.startsWith(home) && level !== "not-exposed").map(({ level }) => level);

test.each(availableClients())("$id $version", { timeout: 180_000 }, async (client) => {
  const here = await stage(client, { dependencies: { axios: "1.14.1", "@acme/widget": "1.1.0" } });
  const installed = await here.bare(["install"]);
  expect(installed.code, all(installed)).toBe(0);
  for (const incident of ["axios@1.14.1", "@acme/widget@1.1.0"]) {
    const project = (await exposed(here, incident)).find(({ place }) => place === here.cwd);
    expect(project?.level, JSON.stringify(project)).toBe("installed");
    expect(project?.evidence.map(({ text }) => text).join("\n")).toContain("the lockfile names it");
  }

  here.remove("node_modules", LOCKFILE[client.kind]);
  for (const incident of ["axios@1.14.1", "@acme/widget@1.1.0"]) {
    const places = await exposed(here, incident);
    expect(kept(places, here), `${incident}: ${JSON.stringify(places, undefined, 1)}`).toContain("fetched");
  }
  expect(kept(await exposed(here, "axios@1.13.6"), here), "a version nobody asked for").not.toContain("fetched");
});
