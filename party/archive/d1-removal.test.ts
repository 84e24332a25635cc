/** The removal of a room from D1, cut off anywhere. */

import { expect, it } from "vitest";
import { Lobby } from "../../test/unit/lobby.ts";
import { removeRoom } from "./d1-removal.ts";

/** A lobby of which D1 has so many messages. */
async function lobbyWith(count: number): Promise<Lobby> {
  const lobby = new Lobby();
  lobby.sayMany(count);
  await lobby.copy();
  return lobby;
}

const left = ({ db }: Lobby) => [db.messages.length, db.rows("SELECT id FROM rooms").length];

it.each([
  ["in packs", () => undefined],
  ["in rows of the older form", (lobby: Lobby) => lobby.db.unpack()],
])("takes all of a room %s or, where it is cut off or the room was changed, nothing", async (_, arrange) => {
  const lobby = await lobbyWith(1_250);
  arrange(lobby);
  const { db } = lobby;
  const batch = db.batch.bind(db);
  db.batch = () => Promise.reject(new Error("D1_ERROR: Network connection lost."));
  await expect(removeRoom(db, { id: "lobby", createdAt: db.createdAt })).rejects.toThrow("Network connection lost.");
  expect(left(lobby)).toEqual([1_250, 1]);
  db.batch = (statements) => {
    db.rows("UPDATE rooms SET revision = 2");
    return batch(statements);
  };
  const silent = { id: "lobby", createdAt: db.createdAt, unlessChanged: { revision: 1 } };
  expect(await removeRoom(db, silent)).toBe(false);
  expect(left(lobby)).toEqual([1_250, 1]);
  db.batch = batch;
  expect(await removeRoom(db, { id: "lobby", createdAt: db.createdAt })).toBe(true);
  expect(left(lobby)).toEqual([0, 0]);
});

it("takes a room of any length, some at a time", async () => {
  const lobby = await lobbyWith(150);
  const { db } = lobby;
  db.rows(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
    INSERT INTO packs SELECT 'lobby', 1 + i * 100, 1, 1, x'00' FROM n`);
  expect(await removeRoom(db, { id: "lobby", createdAt: db.createdAt })).toBe(true);
  expect(db.rows("SELECT first FROM packs")).toEqual([]);
});
