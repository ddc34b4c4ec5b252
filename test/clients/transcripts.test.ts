/** What a person reads when axios 1.14.1 is held back, one story for each family of clients. Only cordon's part: the clients' own words change. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { startFixture } from "../kit/fixture.ts";
import { transcripts } from "../kit/transcript.ts";
import { availableClients, missingClients } from "./clients.ts";
import { all, BOTH, LOCKFILE, stage } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

const FOLDER = fileURLToPath(new URL("transcripts/", import.meta.url));

/**
 * Words a transcript begins a line with: `want VERSION` changes the project's range and forgets what was installed and locked, `careless`
 * installs without cordon and keeps the lockfile alone. `$ installed NAME` prints what lies in node_modules.
 */
for (const client of availableClients().filter(({ id }) => existsSync(join(FOLDER, id))))
  describe(client.id, () =>
    transcripts(join(FOLDER, client.id), async ({ folder }) => {
      const registry = await startFixture({ packages: "axios", at: BOTH });
      onTestFinished(() => registry.stop());
      const project = await stage(client, { registry, cwd: folder });
      await project.product.gate({ announce: true });
      return {
        clock: registry.clock,
        async run([program, ...args]) {
          if (program === "installed")
            return { code: 0, stdout: `${args[0]} ${project.installed(args[0]!) ?? "is not there"}`, stderr: "" };
          const { code, report } = await project.cordon(args.slice(1));
          return { code: code === 0 ? 0 : 1, stdout: "", stderr: report.replace(/^\n/, "") };
        },
        verbs: {
          want(version) {
            project.write({ "package.json": project.read("package.json")!.replace(/"axios": "[^"]+"/, `"axios": "${version}"`) });
            project.remove("node_modules", LOCKFILE[client.kind]);
          },
          async careless() {
            const made = await project.bare(["install"], { home: `${project.home}-careless` });
            expect(made, all(made)).toMatchObject({ code: 0 });
            project.remove("node_modules");
          },
        },
      };
    }),
  );
