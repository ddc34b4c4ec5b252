import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byReach, REACHES, rotationOf, secretFile, secretsIn, secretVariables } from "./secrets.ts";

const names = (file: string, text: string): readonly string[] => secretsIn(file, text).map(({ name }) => name);

test("each file tells the names of its secrets", () => {
  expect(names("/p/.npmrc", "registry=https://r.test/\n//r.test/:_authToken=abc\n; //x/:_authToken=old\n_auth = zzz\n")).toEqual([
    "//r.test/:_authToken",
    "_auth",
  ]);
  expect(names("/p/.env.local", "export STRIPE_SECRET=1\nPORT=80\n# OLD_TOKEN=2\nDATABASE_URL=pg://u:p@h\n")).toEqual([
    "STRIPE_SECRET",
    "DATABASE_URL",
  ]);
  expect(
    names(
      "/p/.github/workflows/x.yml",
      "permissions:\n  id-token: write\nenv:\n  A: ${{ secrets.NPM_TOKEN }}\n  B: ${{ secrets['B_KEY'] }}\n",
    ),
  ).toEqual(["NPM_TOKEN", "B_KEY", "OIDC identity"]);
  expect(names("/h/.aws/credentials", "[default]\naws_secret_access_key = x\n[prod]\n")).toEqual(["default", "prod"]);
  expect(names("/h/.docker/config.json", '{"auths":{"r.test":{"auth":"eHg="}}}')).toEqual(["r.test"]);
  expect(names("/h/.config/gh/hosts.yml", "github.test:\n  oauth_token: abc\n")).toEqual(["github.test"]);
  expect(names("/h/.netrc", "machine api.test login me password hunter2\n")).toEqual(["api.test"]);
  expect(names("/h/.git-credentials", "https://me:hunter2@git.test\n")).toEqual(["git.test"]);
  expect(names("/p/readme.md", "TOKEN=1")).toEqual([]);
});

test("no value is ever told, whatever it looks like", () => {
  const value = fc.stringMatching(/^[A-Za-z0-9+/=]{12,40}$/).map((text) => `VALUE${text}`);
  fc.assert(
    fc.property(
      value,
      fc.constantFrom("/p/.npmrc", "/p/.env", "/h/.aws/credentials", "/h/.git-credentials", "/h/.netrc"),
      (secret, file) => {
        const text = [
          `//r.test/:_authToken=${secret}`,
          `API_KEY="${secret}"`,
          `[default]\naws_secret_access_key=${secret}`,
          `https://me:${secret}@git.test`,
          `machine r.test login me password ${secret}`,
        ].join("\n");
        expect(JSON.stringify(secretsIn(file, text))).not.toContain(secret);
      },
    ),
  );
});

test("what reaches most people comes first, each once", () => {
  const all = [
    ...secretVariables([
      "DATABASE_PASSWORD",
      "AWS_SECRET_ACCESS_KEY",
      "NPM_TOKEN",
      "PATH",
      "GIT_AUTHOR_EMAIL",
      "GITHUB_TOKEN",
      "MY_SECRET",
    ]),
    secretFile("/h/.ssh/id_ed25519"),
    ...secretVariables(["NPM_TOKEN"]),
  ];
  expect(byReach(all).map(({ reach, name }) => `${reach} ${name}`)).toEqual([
    "publish NPM_TOKEN",
    "source GITHUB_TOKEN",
    "cloud AWS_SECRET_ACCESS_KEY",
    "machines id_ed25519",
    "data DATABASE_PASSWORD",
    "other MY_SECRET",
  ]);
});

test("every reach says how its secrets are replaced and when that is done", () => {
  for (const reach of REACHES) {
    const { title, done } = rotationOf(reach, [{ reach, name: "A_TOKEN", file: "environment" }], "x-2026");
    expect(title).toContain("A_TOKEN");
    expect(done).not.toBe("");
  }
});
