/** What somebody asked for and did not get, for the person who reviews it. Losable: the next request for it writes it again. */
import { LIMITS } from "../../core/base/limits.ts";
import { present } from "../../core/base/present.ts";
import type { Instant } from "../../core/base/time.ts";
import type { Held, HeldNote } from "../../core/policy/held.ts";
import type { Verdict } from "../../core/policy/verdict.ts";
import type { Database, Statements } from "./driver.ts";
import { parseStored } from "./json.ts";

type Row = {
  readonly name: string;
  readonly version: string;
  readonly integrity: string | null;
  readonly since: Instant;
  readonly last_asked: Instant;
  readonly asked: number;
  readonly projects: string;
  readonly verdict: string;
};

const COLUMNS = "name, version, integrity, since, last_asked, asked, projects, verdict";

export function heldStore(database: Database) {
  return {
    async note(note: HeldNote): Promise<void> {
      const before = note.asked ? undefined : await database.read((sql) => find(sql, note));
      // A packument that leaves a version out says the same again with every answer: that is no reason to write.
      if (before && equalRows(before, after(before, note))) return;
      await database.write((sql) => {
        const row = after(find(sql, note), note);
        sql.run(`INSERT OR REPLACE INTO held (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, [
          row.name,
          row.version,
          row.integrity,
          row.since,
          row.last_asked,
          row.asked,
          row.projects,
          row.verdict,
        ]);
      });
    },

    async drop(name: string, version: string): Promise<void> {
      await database.write((sql) => sql.run("DELETE FROM held WHERE name = ? AND version = ?", [name, version]));
    },

    /** The longest held first. */
    async list(): Promise<readonly Held[]> {
      const rows = await database.read((sql) => sql.all<Row>(`SELECT ${COLUMNS} FROM held ORDER BY since, name, version`));
      return rows.map(toHeld);
    },
  };
}

function find(sql: Statements, { name, version }: HeldNote): Row | undefined {
  return sql.get<Row>(`SELECT ${COLUMNS} FROM held WHERE name = ? AND version = ?`, [name, version]);
}

function after(before: Row | undefined, note: HeldNote): Row {
  const { name, version, at, project, asked } = note;
  const known = before ? projectsOf(before) : [];
  const isNew = project !== undefined && !known.includes(project) && known.length < LIMITS.heldProjects;
  return {
    name,
    version,
    integrity: note.integrity ?? before?.integrity ?? null,
    since: before?.since ?? at,
    last_asked: asked || !before ? at : before.last_asked,
    asked: (before?.asked ?? 0) + (asked ? 1 : 0),
    projects: JSON.stringify(isNew ? [...known, project] : known),
    verdict: JSON.stringify(note.verdict),
  };
}

function equalRows(a: Row, b: Row): boolean {
  return a.integrity === b.integrity && a.asked === b.asked && a.projects === b.projects && a.verdict === b.verdict;
}

function projectsOf(row: Row): readonly string[] {
  return parseStored<readonly string[]>(row.projects, `the held entry of ${row.name}@${row.version}`);
}

function toHeld(row: Row): Held {
  const { name, version, integrity, since, last_asked, asked } = row;
  const verdict = parseStored<Verdict>(row.verdict, `the held entry of ${name}@${version}`);
  return present({
    name,
    version,
    integrity: integrity ?? undefined,
    since,
    lastAsked: last_asked,
    asked,
    projects: projectsOf(row),
    verdict,
  });
}
