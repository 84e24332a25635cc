/** What the operator says on every page: the only SQL for the table `notice`. */

import { waitUntil } from "cloudflare:workers";
import { ageOf } from "../../party/clock.ts";
import { withPatience } from "../directory.ts";
import type { NoticeRecord } from "../format/records.ts";

/** What is said, and since when (ISO 8601). */
export type Notice = Omit<NoticeRecord, "type">;

/** Pages go by what was read within this time, ms. */
const KEPT_FOR = 30_000;
/** How long a page waits for it, ms. */
const PAGES_WAIT = 1_000;
let known: { readonly at: number; readonly notice: Promise<Notice | undefined> } | undefined;

/** The notice in D1. Rejects when D1 does, and when it does not answer within `patience` ms. */
export async function readNotice(db: D1Database, patience?: number): Promise<Notice | undefined> {
  return (await withPatience(db.prepare("SELECT text, since FROM notice").first<Notice>(), patience)) ?? undefined;
}

/** The notice, at most half a minute old; while D1 does not answer, the one that was last read. */
export function noticeLately(db: D1Database, now: number): Promise<Notice | undefined> {
  if (!known || ageOf(known.at, now) >= KEPT_FOR) {
    const earlier = known?.notice;
    const notice = readNotice(db, PAGES_WAIT).catch(() => earlier);
    known = { at: now, notice };
    // The runtime may end it with the request that began it, and others wait for it.
    waitUntil(notice);
  }
  return known.notice;
}

/** Says `text` from now on; without a text nothing. Rejects when D1 does. */
export async function writeNotice(db: D1Database, text: string | undefined, now: number): Promise<Notice | undefined> {
  known = undefined;
  const since = new Date(now).toISOString();
  const write =
    text === undefined
      ? db.prepare("DELETE FROM notice")
      : db
          .prepare(
            `INSERT INTO notice (name, text, since) VALUES ('notice', ?, ?)
            ON CONFLICT (name) DO UPDATE SET text = excluded.text, since = excluded.since`,
          )
          .bind(text, since);
  await withPatience(write.all());
  known = undefined;
  return text === undefined ? undefined : { text, since };
}
