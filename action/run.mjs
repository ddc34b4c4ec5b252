/**
 * What the action does: builds the cordon beside it, runs one check, and passes on what it found: the job's log and summary, SARIF, one
 * comment on the pull request, the exit status. Reads nothing but its environment; see action.yml.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** The first line of every comment of ours; `change-markdown.ts` writes it. */
const MARK = "<!-- cordon check --since -->";
/** Pages of comments looked through for the one of the last push. */
const PAGES = 10;

const env = process.env;
const set = (name) => (env[name] ?? "").trim();
const on = (name) => set(name) === "true";

function node(...args) {
  return spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 70;
}

const built = node(path.join(ROOT, "tools", "setup.mjs"), "build");
if (built !== 0) process.exit(built);

const folder = mkdtempSync(path.join(tmpdir(), "cordon-action-"));
try {
  const markdown = path.join(folder, "report.md");
  const base = set("GITHUB_BASE_REF");
  const since = set("CORDON_SINCE") || (base === "" ? "" : `origin/${base}`);
  const paths = set("CORDON_PATHS")
    .split("\n")
    .map((one) => one.trim());
  const status = node(
    path.join(ROOT, "bin", "cordon.js"),
    "check",
    ...(since === "" ? [] : ["--since", since]),
    ...(set("CORDON_CHECK_PRESET") === "" ? [] : ["--preset", set("CORDON_CHECK_PRESET")]),
    ...(set("CORDON_CHECK_CONFIG") === "" ? [] : ["--config", set("CORDON_CHECK_CONFIG")]),
    ...(on("CORDON_ONLINE") ? ["--online"] : []),
    ...(on("CORDON_RECURSIVE") ? ["--recursive"] : []),
    "--write",
    `markdown=${markdown}`,
    ...(set("CORDON_SARIF") === "" ? [] : [`sarif=${set("CORDON_SARIF")}`]),
    "--",
    ...paths.filter((one) => one !== ""),
  );
  if (set("GITHUB_OUTPUT") !== "") appendFileSync(env.GITHUB_OUTPUT, `status=${status}\n`);
  // A run that could not begin wrote no report.
  if (status === 0 || status === 1 || status === 3) {
    const report = readFileSync(markdown, "utf8");
    if (set("GITHUB_STEP_SUMMARY") !== "") appendFileSync(env.GITHUB_STEP_SUMMARY, `${report}\n`);
    if (on("CORDON_COMMENT")) await comment(report);
  }
  process.exitCode = status;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One comment, the same over all pushes. That it cannot be written is said and does not change what was found. */
async function comment(report) {
  const event = set("GITHUB_EVENT_PATH") === "" ? {} : JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, "utf8"));
  const number = event.pull_request?.number;
  if (!Number.isInteger(number)) return;
  const issues = `${set("GITHUB_API_URL")}/repos/${set("GITHUB_REPOSITORY")}/issues`;
  try {
    const own = await ownComment(`${issues}/${number}/comments`);
    const body = report.startsWith(MARK) ? report : `${MARK}\n${report}`;
    if (own === undefined) await ask("POST", `${issues}/${number}/comments`, { body });
    else await ask("PATCH", `${issues}/comments/${own}`, { body });
  } catch (error) {
    console.error(`cordon: the comment could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function ownComment(comments) {
  for (let page = 1; page <= PAGES; page++) {
    const found = await ask("GET", `${comments}?per_page=100&page=${page}`);
    const own = found.find(({ body, user }) => user?.type === "Bot" && typeof body === "string" && body.startsWith(MARK));
    if (own) return own.id;
    if (found.length < 100) return undefined;
  }
  return undefined;
}

async function ask(method, url, body) {
  const answer = await fetch(url, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${set("CORDON_GITHUB_TOKEN")}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname} was answered with ${answer.status}`);
  return answer.json();
}
