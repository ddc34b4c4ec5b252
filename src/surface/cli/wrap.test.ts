/** The wrapper where it does not even start the client. What real clients do is tested in test/clients. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { clientEnv, npmOnPath } from "../../../test/clients/clients.ts";
import { product } from "../../../test/kit/app.ts";
import { startFixture } from "../../../test/kit/fixture.ts";
import { tempFolder } from "../../../test/kit/temp.ts";

test("a lockfile of which nothing is known and nobody can be asked is not installed: npm would try for minutes", async () => {
  const fixture = await startFixture({ packages: "axios", at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => fixture.stop());
  const locked = (name: string) => {
    const file = `${fixture.url}${name}/-/${name}-1.14.0.tgz`;
    return { version: "1.14.0", resolved: file, integrity: fixture.integrity("axios", "1.14.0") };
  };
  const dependencies = { axios: "1.14.0", other: "1.14.0" };
  const cwd = tempFolder({
    "package.json": { name: "site", version: "1.0.0", dependencies },
    "package-lock.json": {
      name: "site",
      version: "1.0.0",
      lockfileVersion: 3,
      packages: {
        "": { name: "site", version: "1.0.0", dependencies },
        "node_modules/axios": locked("axios"),
        "node_modules/other": locked("other"),
      },
    },
  });
  const { cordon, home } = await product({ fixture, cwd });
  const env = clientEnv(npmOnPath(), home);
  await fixture.down();
  const run = await cordon(["npm", "ci"], { env });
  expect(run).toMatchObject({ code: 3, stdout: "" });
  expect(run.stderr).toMatch(
    /^cordon · the client was not started: 2 lockfile entries could not be checked\n {2}axios 1\.14\.0 and 1 other {3}.+\n/m,
  );
  expect(existsSync(join(cwd, "node_modules"))).toBe(false);
  const told = await cordon(["--json", "npm", "ci"], { env });
  expect(JSON.parse(told.stderr)).toMatchObject({ client: null, exit: 3, undecided: [{ name: "axios" }, { name: "other" }] });
});
