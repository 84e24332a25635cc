/** What D1's copy costs in rows as they are billed, the room's own among them. */

import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Archive } from "../../party/archive/archive.ts";
import { RoomLog } from "../../party/log/room-log.ts";
import { RoomStorage } from "../../party/storage/room-storage.ts";
import { keepsAll } from "../unit/keeps-all.ts";
import { withStorage } from "./counted-storage.ts";
import { ownerWithRoom } from "./visitor.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

it("writes a row for each message at one a second, and half a row more, the alarm and D1 included", async () => {
  const { room } = await ownerWithRoom();
  const createdAt = await env.DB.prepare("SELECT created_at FROM rooms WHERE id = ?")
    .bind(room)
    .first<string>("created_at");
  await withStorage(async (storage) => {
    const journal = RoomLog.open(new RoomStorage(storage));
    journal.start({ messages: [] });
    let alarms = 0;
    const inD1 = { written: 0, read: 0 };
    const db = {
      prepare: (query: string) => env.DB.prepare(query),
      batch: async (statements: D1PreparedStatement[]) => {
        const results = await env.DB.batch(statements);
        for (const { meta } of results) {
          inD1.written += meta.rows_written;
          inD1.read += meta.rows_read;
        }
        return results;
      },
    };
    let isArmed = false;
    const archive = new Archive({
      setBack: () => undefined,
      room,
      createdAt: createdAt ?? "",
      journal,
      db: db as never,
      now: () => NOON,
      holds: { load: () => undefined, save: () => undefined },
      stored: () => ({ bytes: 0, limit: undefined }),
      keepAlive: () => undefined,
      wakeIn: () => {
        alarms += isArmed ? 0 : 1;
        isArmed = true;
      },
      delay: 10_000,
      gone: async () => undefined,
      retention: keepsAll,
      ordered: () => undefined,
    });
    const minutes = 10;
    storage.takeRows();
    for (let second = 1; second <= minutes * 60; second++) {
      journal.append(
        [{ id: `s${second}`, kind: "text", sender: "swift-otter", content: "hello", ref: null }],
        NOON + second * 1_000,
      );
      archive.grown();
      if (second % 10 > 0) continue;
      isArmed = false;
      await archive.run();
    }
    const { head } = journal;
    expect([journal.copied, head]).toEqual([minutes * 60, minutes * 60]);
    const inRoom = storage.takeRows().written;
    expect((inRoom + alarms + inD1.written) / head).toBeLessThanOrEqual(1.5);
    expect(inD1.written / head).toBeLessThanOrEqual(0.25);
    expect(inD1.read / head).toBeLessThanOrEqual(1.5);
    // Alone, so nothing shares its copy: its pack, its target's pack and the room's row.
    inD1.written = 0;
    journal.append([{ id: "d", kind: "deletion", sender: "swift-otter", content: "", ref: 7 }], NOON + 601_000);
    await archive.run();
    expect(inD1.written).toBeLessThanOrEqual(3);
  });
});
