/** Client tokens by the hash of their secret. Trusted; not losable; not safe to roll back (a revoked token would live again). */
import { present } from "../../core/base/present.ts";
import { type Clock, type Instant, MINUTE } from "../../core/base/time.ts";
import type { Token } from "../../core/policy/token.ts";
import type { Database } from "./driver.ts";
import { parseStored } from "./json.ts";

type Row = {
  readonly id: string;
  readonly label: string;
  readonly projects: string;
  readonly created: Instant;
  readonly expires: Instant | null;
  readonly revoked: Instant | null;
  readonly last_used: Instant | null;
};

const COLUMNS = "id, label, projects, created, expires, revoked, last_used";

export function tokenStore(database: Database, clock: Clock) {
  /** The last use is for people who wonder whether a token can go: a minute is exact enough, and a request never waits for it. */
  async function noteUse(id: string, at: Instant): Promise<void> {
    await database.write((sql) => sql.run("UPDATE tokens SET last_used = ? WHERE id = ?", [at, id])).catch(() => undefined);
  }

  return {
    async add(token: Token, hash: string): Promise<void> {
      const { id, label, projects, created, expires = null, revoked = null, lastUsed = null } = token;
      await database.write((sql) =>
        sql.run(`INSERT INTO tokens (hash, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, [
          hash,
          id,
          label,
          JSON.stringify(projects),
          created,
          expires,
          revoked,
          lastUsed,
        ]),
      );
      await database.flush();
    },

    /** Also finds expired and revoked ones: the caller says which of the two it was. */
    async find(hash: string): Promise<Token | undefined> {
      const row = await database.read((sql) => sql.get<Row>(`SELECT ${COLUMNS} FROM tokens WHERE hash = ?`, [hash]));
      if (!row) return undefined;
      const now = clock.now();
      if (now - (row.last_used ?? 0) >= MINUTE) void noteUse(row.id, now);
      return toToken(row);
    },

    async list(): Promise<readonly Token[]> {
      const rows = await database.read((sql) => sql.all<Row>(`SELECT ${COLUMNS} FROM tokens ORDER BY created, id`));
      return rows.map(toToken);
    },

    /** False when there is no such token, or it was revoked before. */
    async revoke(id: string, at: Instant): Promise<boolean> {
      const changed = await database.write((sql) => sql.run("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", [at, id]));
      await database.flush();
      return changed > 0;
    },
  };
}

function toToken({ id, label, projects, created, expires, revoked, last_used }: Row): Token {
  return present({
    id,
    label,
    projects: parseStored<readonly string[]>(projects, `token ${id}`),
    created,
    expires: expires ?? undefined,
    revoked: revoked ?? undefined,
    lastUsed: last_used ?? undefined,
  });
}
