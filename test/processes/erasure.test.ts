/** Everything by one sender is erased while the server is killed again and again; and it is in no later backup, nor in a restore. */

import { execFile } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { readOperatorSecret } from "../../api/local/operator-secret.ts";
import type { Message } from "../../party/protocol.ts";
import { Visitor } from "./security/visitor.ts";
import { READING, Server } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRET = "words that must not be found";
/** Of one room: some packs of D1's. */
const MESSAGES = 250;

const folder = mkdtempSync(join(tmpdir(), "meet-ai-erasure-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const command = (name: "backup" | "restore", stateDir: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [`api/local/${name}.ts`, ...args], {
    cwd: ROOT,
    env: { ...process.env, STATE_DIR: stateDir },
  });

/** All bytes of the rooms' files of a backup. */
const filesOf = (backup: string): string =>
  readdirSync(join(backup, "rooms"))
    .map((name) => readFileSync(join(backup, "rooms", name), "utf8"))
    .join("\n");

/** What rooms have in their own storage. */
function storedInRooms(stateDir: string): string {
  const stored = globSync("do/meet-ai-ChatRoom/*.sqlite", { cwd: stateDir }).flatMap((file) => {
    const database = new DatabaseSync(join(stateDir, file), READING);
    try {
      const isRoom = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'messages'").get() !== undefined;
      return isRoom ? database.prepare("SELECT sender, content FROM messages").all() : [];
    } finally {
      database.close();
    }
  });
  return JSON.stringify(stored);
}

async function log(visitor: Visitor, room: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let more = true; more; ) {
    const { body } = await visitor.call("GET", `/api/rooms/${room}/messages?limit=200&after=${all.at(-1)?.seq ?? 0}`);
    all.push(...body.messages);
    more = body.more;
  }
  return all;
}

it("is done to its end over kill -9 at any moment, and is in no later backup, whatever is restored", async () => {
  await using server = await Server.start();
  const visitor = new Visitor(server);
  const [owner, troll] = [await visitor.makeKey(), await visitor.makeKey()];
  const rooms = [await visitor.makeRoom(owner.key), await visitor.makeRoom(owner.key)];
  for (const room of rooms) {
    await visitor.say(room, owner.key, "stays");
    for (let said = 0; said < MESSAGES; said += 50) {
      await Promise.all(Array.from({ length: 50 }, () => visitor.say(room, troll.key, SECRET)));
    }
    await until("D1 has all", () => server.archivedCount(room) === MESSAGES + 1);
  }
  const [older, newer] = [join(folder, "older"), join(folder, "newer")];
  await command("backup", server.stateDir, older);
  expect(filesOf(older)).toContain(SECRET);
  cpSync(older, newer, { recursive: true });

  const authorization = `Operator ${readOperatorSecret(server.stateDir)}`;
  const erase = () =>
    fetch(`${server.url}/api/messages?sender=${troll.handle}`, { method: "DELETE", headers: { authorization } });
  const isShown = async () => (await Promise.all(rooms.map((room) => log(visitor, room)))).flat();
  for (const delay of [0, 15, 40]) {
    const asked = erase().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, delay));
    await server.kill();
    await asked;
    await server.start();
  }
  // What was answered holds, and what is shown is shown wholly or not at all.
  await until("it is done", async () => (await erase()).status === 200);
  await server.kill();
  const stored = storedInRooms(server.stateDir);
  expect([stored.includes("stays"), stored.includes(SECRET), stored.includes(troll.handle)]).toEqual([
    true,
    false,
    false,
  ]);
  await server.start();
  const shown = await isShown();
  expect(shown.filter(({ content, sender }) => content === SECRET || sender === troll.handle)).toEqual([]);
  expect(shown.filter(({ content }) => content === "stays")).toHaveLength(2);
  // Nor do their entries say whom they have erased.
  expect(shown.filter(({ kind, erased }) => kind === "erasure" && erased === "")).toHaveLength(2);
  for (const room of rooms) {
    const archived = server.archived(room);
    expect(archived.filter(({ content, sender }) => content === SECRET || sender === troll.handle)).toEqual([]);
  }

  await command("backup", server.stateDir, newer);
  const files = filesOf(newer);
  expect(files).not.toContain(SECRET);
  expect(files).not.toContain(troll.handle);

  // The newer one over the older one, as who has kept both may put them together.
  cpSync(newer, older, { recursive: true });
  const stateDir = join(folder, "state");
  await command("restore", stateDir, older);
  await using restored = await Server.start({ stateDir });
  const guest = new Visitor(restored);
  for (const room of rooms) {
    const messages = await log(guest, room);
    expect(messages).toHaveLength(MESSAGES + 2);
    expect(messages.filter(({ content, sender }) => content === SECRET || sender === troll.handle)).toEqual([]);
  }
});
