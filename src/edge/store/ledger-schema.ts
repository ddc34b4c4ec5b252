/** `ledger.db`: rows that are only ever added, the signed head of each chain, and what is asked of them. */
import { type Generated, sql } from "kysely";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { LedgerQuery } from "../../core/ledger/entry.ts";
import { compiler } from "./compiler.ts";
import type { Statement, Step } from "./migrate.ts";

type Tables = {
  rows: {
    id: Generated<number>;
    chain: string;
    seq: number;
    previous: string;
    hash: string;
    entry: string;
    readonly at: Generated<number>;
    readonly kind: Generated<string>;
    readonly name: Generated<string | null>;
    readonly version: Generated<string | null>;
    readonly project: Generated<string | null>;
  };
};

export function ledgerSteps(): readonly Step[] {
  const database = compiler<Tables>();
  const { schema } = database;
  return [
    [
      // What is asked for is computed from the hashed text, never stored beside it: nobody can hide a row from a search and keep its hash.
      schema
        .createTable("rows")
        .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
        .addColumn("chain", "text", (column) => column.notNull())
        .addColumn("seq", "integer", (column) => column.notNull())
        .addColumn("previous", "text", (column) => column.notNull())
        .addColumn("hash", "text", (column) => column.notNull())
        .addColumn("entry", "text", (column) => column.notNull())
        .addColumn("at", "integer", (column) => column.generatedAlwaysAs(sql`entry ->> '$.at'`))
        .addColumn("kind", "text", (column) => column.generatedAlwaysAs(sql`entry ->> '$.kind'`))
        .addColumn("name", "text", (column) => column.generatedAlwaysAs(sql`entry ->> '$.name'`))
        .addColumn("version", "text", (column) => column.generatedAlwaysAs(sql`entry ->> '$.version'`))
        .addColumn("project", "text", (column) =>
          column.generatedAlwaysAs(sql`coalesce(entry ->> '$.asker.project', entry ->> '$.project')`),
        )
        .compile(),
      schema.createIndex("rows_name").on("rows").columns(["name", "version"]).compile(),
      schema.createIndex("rows_at").on("rows").column("at").compile(),
      schema.createIndex("rows_project").on("rows").column("project").where("project", "is not", null).compile(),
      sql`create trigger rows_no_update before update on rows begin select raise(abort, 'ledger rows never change'); end`.compile(database),
      sql`create trigger rows_no_delete before delete on rows begin select raise(abort, 'ledger rows are never removed'); end`.compile(
        database,
      ),
      schema
        .createTable("heads")
        .addColumn("chain", "text", (column) => column.primaryKey())
        .addColumn("seq", "integer", (column) => column.notNull())
        .addColumn("hash", "text", (column) => column.notNull())
        .addColumn("at", "integer", (column) => column.notNull())
        .addColumn("signature", "text", (column) => column.notNull())
        .addColumn("key", "text", (column) => column.notNull())
        .compile(),
      sql`create trigger heads_forward before update on heads when new.seq <= old.seq or new.chain <> old.chain
          begin select raise(abort, 'a chain only grows'); end`.compile(database),
      sql`create trigger heads_no_delete before delete on heads begin select raise(abort, 'chains are never removed'); end`.compile(
        database,
      ),
    ],
  ];
}

/** Newest first, or oldest first when those are asked for. */
export function tailQuery(query: LedgerQuery): Statement {
  const { since, project, kinds, name, version } = query;
  let rows = compiler<Tables>().selectFrom("rows").select(["chain", "seq", "previous", "hash", "entry"]);
  if (since !== undefined) rows = rows.where("at", ">=", since);
  if (project !== undefined) rows = rows.where("project", "=", project);
  if (kinds !== undefined) rows = rows.where("kind", "in", kinds);
  if (name !== undefined) rows = rows.where("name", "=", name);
  if (version !== undefined) rows = rows.where("version", "=", version);
  return rows
    .orderBy("id", query.oldest === true ? "asc" : "desc")
    .limit(Math.min(Math.max(0, query.limit), LIMITS.ledgerTailRows))
    .compile();
}

/** The first row of a moment and later, about: processes that share a ledger write their rows in turn. */
export function oldestSince(since: Instant): Statement {
  return compiler<Tables>().selectFrom("rows").select("id").where("at", ">=", since).orderBy("at").limit(1).compile();
}

/** Versions served in the rows behind `from` up to `next`. */
export function servedBetween({ from, next, since }: { readonly from: number; readonly next: number; readonly since: Instant }): Statement {
  return compiler<Tables>()
    .selectFrom("rows")
    .select(["name", "version", ({ fn }) => fn.max("at").as("at")])
    .where("id", ">", from)
    .where("id", "<=", next)
    .where("kind", "=", "serve")
    .where("at", ">=", since)
    .groupBy(["name", "version"])
    .orderBy("name")
    .orderBy("version")
    .compile();
}
