/** `cordon.db`: package history, exceptions, tokens, what is held. Migrations only; never edit a step that was released, add one. */
import { sql } from "kysely";
import { compiler } from "./compiler.ts";
import type { Step } from "./migrate.ts";

export function historySteps(): readonly Step[] {
  const { schema } = compiler<unknown>();
  return [
    [
      // What every answer changes stands apart from what few answers change, so that a confirmation rewrites a hundred bytes.
      schema
        .createTable("packages")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("revision", "integer", (column) => column.notNull())
        .addColumn("head", "text", (column) => column.notNull())
        .compile(),
      schema
        .createTable("bodies")
        .addColumn("name", "text", (column) => column.primaryKey().references("packages.name").onDelete("cascade"))
        .addColumn("body", "text", (column) => column.notNull())
        .compile(),
      schema
        .createTable("requires")
        .addColumn("dependency", "text", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("until", "integer", (column) => column.notNull())
        .addPrimaryKeyConstraint("requires_pk", ["dependency", "name"])
        .modifyEnd(sql`without rowid`)
        .compile(),
      schema.createIndex("requires_name").on("requires").column("name").compile(),
      schema
        .createTable("exceptions")
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("document", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("exceptions_pk", ["kind", "id"])
        .compile(),
      schema
        .createTable("epoch")
        .addColumn("only", "integer", (column) => column.primaryKey().check(sql`only = 1`))
        .addColumn("epoch", "integer", (column) => column.notNull())
        .compile(),
      sql`insert into epoch values (1, 0)`.compile(compiler()),
      schema
        .createTable("tokens")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("hash", "text", (column) => column.notNull().unique())
        .addColumn("label", "text", (column) => column.notNull())
        .addColumn("projects", "text", (column) => column.notNull())
        .addColumn("created", "integer", (column) => column.notNull())
        .addColumn("expires", "integer")
        .addColumn("revoked", "integer")
        .addColumn("last_used", "integer")
        .compile(),
      schema
        .createTable("held")
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("version", "text", (column) => column.notNull())
        .addColumn("integrity", "text")
        .addColumn("since", "integer", (column) => column.notNull())
        .addColumn("last_asked", "integer", (column) => column.notNull())
        .addColumn("asked", "integer", (column) => column.notNull())
        .addColumn("projects", "text", (column) => column.notNull())
        .addColumn("verdict", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("held_pk", ["name", "version"])
        .compile(),
    ],
    [
      schema
        .createTable("evidence")
        .addColumn("key", "text", (column) => column.primaryKey())
        .addColumn("at", "integer", (column) => column.notNull())
        .addColumn("body", "text", (column) => column.notNull())
        .compile(),
      schema.createIndex("evidence_at").on("evidence").column("at").compile(),
    ],
  ];
}
