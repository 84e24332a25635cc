/**
 * A page of history from D1 and nothing else: no room, no check, one query. The table is the one that the archive has,
 * and the query is the one that a page of history needs.
 */

import { firstOf, PACK, PACK_COLUMNS, type PackRow, pack, packsBetween, unpack } from "../../party/archive/pack.ts";

interface PageEnv {
  DB: D1Database;
}

export default {
  async fetch(request: Request, env: PageEnv): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/setup") {
      await fill(env.DB, Number(searchParams.get("messages")));
      return new Response("ready");
    }
    const query = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ?1 AND first < ?2 ORDER BY first DESC LIMIT ?3`;
    const before = Number(searchParams.get("before"));
    const limit = Number(searchParams.get("limit"));
    const packs = packsBetween(before - limit, before - 1);
    const { results } = await env.DB.prepare(query).bind("deep", before, packs).all<PackRow>();
    const messages = (await Promise.all(results.reverse().map(unpack))).flat();
    return Response.json({ messages: messages.filter(({ seq }) => seq < before).slice(-limit) });
  },
};

async function fill(db: D1Database, messages: number): Promise<void> {
  await db.exec(
    "CREATE TABLE packs (room_id TEXT NOT NULL, first INTEGER NOT NULL, revision INTEGER NOT NULL, form INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (room_id, first)) WITHOUT ROWID",
  );
  const insert = db.prepare("INSERT INTO packs VALUES ('deep', ?1, ?1, 1, ?2)");
  for (let first = 1; first <= messages; first += 50 * PACK) {
    const firsts = Array.from({ length: 50 }, (_, index) => first + index * PACK).filter((each) => each <= messages);
    await db.batch(await Promise.all(firsts.map(async (each) => insert.bind(each, await pack(packFrom(each))))));
  }
}

/** The messages of one pack. */
function packFrom(first: number) {
  return Array.from({ length: PACK }, (_, index) => ({
    seq: firstOf(first) + index,
    id: `w000-${String(first + index).padStart(8, "0")}`,
    kind: "text" as const,
    sender: "swift-otter",
    // A hundred characters that are compressed to half of it, as prose is.
    content: hex(crypto.getRandomValues(new Uint8Array(50))),
    ref: null,
    at: Date.now(),
  }));
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
