/** `feeds.db`: what each feed said, and when we saw it. Migrations only; never edit a step that was released, add one. */
import { sql } from "kysely";
import { compiler } from "./compiler.ts";
import type { Step } from "./migrate.ts";

export function claimSteps(): readonly Step[] {
  const database = compiler<unknown>();
  const { schema } = database;
  return [
    [
      // One row for each time a feed was seen to say something new of an advisory; no document: it says nothing of it any more.
      schema
        .createTable("log")
        .addColumn("seq", "integer", (column) => column.primaryKey().autoIncrement())
        .addColumn("feed", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("seen", "integer", (column) => column.notNull())
        .addColumn("mass", "integer", (column) => column.notNull())
        .addColumn("document", "text")
        .compile(),
      schema.createIndex("log_id").on("log").columns(["feed", "id", "seq"]).compile(),
      sql`create trigger log_no_update before update on log begin select raise(abort, 'what was seen never changes'); end`.compile(
        database,
      ),
      sql`create trigger log_no_delete before delete on log begin select raise(abort, 'what was seen is never removed'); end`.compile(
        database,
      ),
      // The newest row of each, so that a sync need not search for it.
      schema
        .createTable("current")
        .addColumn("feed", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("seq", "integer", (column) => column.notNull().references("log.seq"))
        .addColumn("first_seen", "integer", (column) => column.notNull())
        .addColumn("withdrawn_seen", "integer")
        .addPrimaryKeyConstraint("current_pk", ["feed", "id"])
        .modifyEnd(sql`without rowid`)
        .compile(),
    ],
  ];
}
