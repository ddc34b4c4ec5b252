/** The GitHub Action as a runner starts it: its own cordon, one comment kept up to date, the exit status handed on. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { tempFolder } from "../kit/temp.ts";
import { ROOT, text } from "./tree.ts";

type Comment = { readonly id: number; body: string; readonly user: { readonly type: string } };

test("every input reaches the script as a variable, and none as part of a command line", () => {
  const action = parse(text("action/action.yml")) as {
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly runs: { readonly steps: readonly { readonly run: string; readonly env: Readonly<Record<string, string>> }[] };
  };
  const [step] = action.runs.steps;
  expect(action.runs.steps).toHaveLength(1);
  expect(step!.run).not.toContain("${{");
  const handed = Object.values(step!.env).flatMap((value) => /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value)?.[1] ?? []);
  expect(handed.sort()).toEqual(Object.keys(action.inputs).sort());
  const script = text("action/run.mjs");
  for (const name of Object.keys(step!.env).filter((one) => one !== "ACTION_PATH")) expect(script, name).toContain(`"${name}"`);
});

test("a pull request gets one comment, and the next push changes it", async () => {
  const comments: Comment[] = [{ id: 1, body: "looks good", user: { type: "User" } }];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push(`${request.method} ${request.url?.split("?")[0]} ${request.headers.authorization}`);
      const { body } = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as { readonly body?: string };
      if (request.method === "POST") comments.push({ id: comments.length + 1, body: body!, user: { type: "Bot" } });
      if (request.method === "PATCH") comments.find(({ id }) => request.url!.endsWith(`/${id}`))!.body = body!;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(request.method === "GET" ? comments : {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());

  const folder = tempFolder({
    "home/.keep": "",
    "event.json": { pull_request: { number: 7 } },
    "shop/package.json": { name: "shop", dependencies: { one: "git+https://git.example.test/one.git" } },
    "shop/package-lock.json": {
      name: "shop",
      lockfileVersion: 3,
      packages: {
        "": { name: "shop", dependencies: { one: "git+https://git.example.test/one.git" } },
        "node_modules/one": { version: "1.0.0", resolved: "git+https://git.example.test/one.git#main" },
      },
    },
  });
  const shop = join(folder, "shop");
  const run = (): Promise<number | null> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(ROOT, "action", "run.mjs")], {
        cwd: shop,
        stdio: "ignore",
        env: {
          PATH: process.env["PATH"],
          HOME: join(folder, "home"),
          CORDON_PATHS: ".\n",
          CORDON_COMMENT: "true",
          CORDON_SARIF: join(folder, "out.sarif"),
          CORDON_GITHUB_TOKEN: "not-a-token",
          GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          GITHUB_REPOSITORY: "acme/shop",
          GITHUB_EVENT_PATH: join(folder, "event.json"),
          GITHUB_OUTPUT: join(folder, "output"),
          GITHUB_STEP_SUMMARY: join(folder, "summary"),
        },
      });
      child.once("error", reject);
      child.once("exit", resolve);
    });
  writeFileSync(join(folder, "output"), "");
  writeFileSync(join(folder, "summary"), "");
  expect(await run()).toBe(1);
  expect(await run()).toBe(1);
  expect(comments).toHaveLength(2);
  expect(comments[1]!.body).toContain("git-unpinned");
  expect(asked.map((one) => one.split(" ")[0])).toEqual(["GET", "POST", "GET", "PATCH"]);
  expect(asked[0]).toBe("GET /repos/acme/shop/issues/7/comments Bearer not-a-token");
  expect(readFileSync(join(folder, "output"), "utf8")).toBe("status=1\nstatus=1\n");
  expect(readFileSync(join(folder, "summary"), "utf8")).toContain("cordon check");
  expect(JSON.parse(readFileSync(join(folder, "out.sarif"), "utf8"))).toMatchObject({ version: "2.1.0" });
}, 60_000);
