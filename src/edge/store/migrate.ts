/**
 * Brings a database file to the schema this cordon knows, forward only, and refuses what it does not know.
 * The schema number is SQLite's `user_version`; the application id tells our files from anybody else's.
 */
import { Fault } from "../../core/base/fault.ts";
import type { Database, Statements, Value } from "./driver.ts";

/** One statement of a migration, as Kysely compiles it. */
export type Statement = { readonly sql: string; readonly parameters: readonly unknown[] };
/** The statements that lead from one schema number to the next. */
export type Step = readonly Statement[];

export type Schema = {
  /** "cord" in ASCII, plus the kind of file. */
  readonly applicationId: number;
  /** Number of steps; stated apart from them so that a file that is up to date loads no migration code. */
  readonly version: number;
  steps(): Promise<readonly Step[]>;
};

/**
 * All steps that are missing run in one transaction: a crash leaves the old schema. Two processes may do it at once; the second
 * finds nothing left to do. Raises STORE_NEWER, or STORE_BROKEN when the file is somebody else's.
 */
export async function migrate(
  database: Database,
  schema: Schema,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Promise<void> {
  const found = await database.snapshot((sql) => schemaOf(sql, database.path, schema));
  if (found === schema.version) return;
  if (readOnly) {
    throw new Fault(
      "STORE_BROKEN",
      `${database.path} has schema ${found}, this cordon reads ${schema.version}; a command that writes upgrades it`,
    );
  }
  const steps = await schema.steps();
  await database.write((sql) => {
    const current = schemaOf(sql, database.path, schema);
    for (const { sql: text, parameters } of steps.slice(current).flat()) sql.run(text, parameters as readonly Value[]);
    sql.exec(`PRAGMA application_id = ${schema.applicationId}; PRAGMA user_version = ${steps.length};`);
  });
  await database.flush();
}

/** The schema number of a file that is ours and not from the future; 0 for a new one. */
function schemaOf(sql: Statements, path: string, schema: Schema): number {
  const version = sql.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
  const owner = sql.get<{ application_id: number }>("PRAGMA application_id")!.application_id;
  const tables = sql.get<{ count: number }>("SELECT count(*) AS count FROM sqlite_schema")!.count;
  if (version === 0 && owner === 0 && tables === 0) return 0;
  if (owner !== schema.applicationId) throw new Fault("STORE_BROKEN", `${path} is not a file of cordon`);
  if (version > schema.version) {
    throw new Fault("STORE_NEWER", `${path} has schema ${version}; this cordon knows ${schema.version}`);
  }
  return version;
}
