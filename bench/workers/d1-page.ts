/**
 * A page of history from D1 and nothing else: no room, no check, one query. The table is the one that the archive has,
 * and the query is the one that a page of history needs.
 */

interface PageEnv {
  DB: D1Database;
}

const COLUMNS = "seq, id, kind, sender, content, ref, created_at";

export default {
  async fetch(request: Request, env: PageEnv): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/setup") {
      await fill(env.DB, Number(searchParams.get("messages")));
      return new Response("ready");
    }
    const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3`;
    const before = Number(searchParams.get("before"));
    const limit = Number(searchParams.get("limit"));
    const { results } = await env.DB.prepare(query).bind("deep", before, limit).all();
    return Response.json({ messages: results.reverse() });
  },
};

async function fill(db: D1Database, messages: number): Promise<void> {
  await db.exec(
    "CREATE TABLE messages (room_id TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL, content TEXT NOT NULL, ref INTEGER, created_at TEXT NOT NULL, PRIMARY KEY (room_id, seq)) WITHOUT ROWID",
  );
  const rows = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
    INSERT INTO messages SELECT 'deep', n, printf('w000-%08d', n), 'text', 'swift-otter', ?2, NULL, ?3 FROM numbers`;
  await db.prepare(rows).bind(messages, "x".repeat(100), new Date().toISOString()).run();
}
