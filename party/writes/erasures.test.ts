/** Erasures on their way through the room and D1: whatever fails, and however often it begins anew, nothing of them is left. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { Lobby } from "../../test/unit/lobby.ts";
import { text } from "../../test/unit/sqlite.ts";
import { operator, type Participant } from "../identity/sender.ts";
import { ERASED_AT_ONCE } from "../log/room-log.ts";
import { type Fault, fault } from "../protocol.ts";
import { Erasures } from "./erasures.ts";

const moderator: Participant = { sender: "calm-heron", principal: "person:k1", keyId: "k1" };
const ERASED = "swift-otter";

let lobby: Lobby;
let erasures: Erasures;
/** Why the room takes no entry. */
let refusal: Fault | undefined;
/** Whom the room lets go of beside its log. */
let forgotten: string[];

beforeEach(() => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  [lobby, refusal, forgotten] = [new Lobby(), undefined, []];
  erasures = open();
});

/** The erasures of the room as it is open now. */
const open = () =>
  new Erasures({
    ...{ now: () => lobby.now, record: () => lobby.record, log: lobby.log, copier: lobby.copier, db: lobby.db },
    submit: ({ message, settle }) => {
      const [placed] = refusal ? [] : lobby.append(message);
      settle(placed ? { message: placed, repeated: false } : (refusal as Fault));
    },
    refuse: () => undefined,
    refuseAnother: () => undefined,
    erased: () => undefined,
    forget: (sender) => void forgotten.push(sender),
    schedule: (delay, run) => void setTimeout(run, delay === 0 ? 0 : delay),
    changed: () => undefined,
  });

/** What the alarm does, until nothing is left to do. */
async function alarm(times = 20): Promise<void> {
  for (let rung = 0; rung < times && (erasures.due !== undefined || lobby.copier.isBehind); rung++) {
    lobby.now += 60_000;
    await erasures.run();
    await lobby.copy();
  }
}

function restart(): void {
  erasures.close();
  lobby.reopen();
  erasures = open();
}

/** How many messages of the erased sender each store has, and where their name stands beside them. */
const left = () => {
  const ofThem = ({ sender }: { sender: string }) => sender === ERASED || sender.startsWith(`${ERASED}/`);
  const here = lobby.disk.sql.exec<{ sender: string }>("SELECT sender FROM messages").toArray().filter(ofThem).length;
  return [here, lobby.db.messages.filter(ofThem).length];
};

const named = () =>
  JSON.stringify([
    ...["messages", "writers", "erasures", "orders"].flatMap((table) =>
      lobby.disk.sql.exec(`SELECT * FROM ${table}`).toArray(),
    ),
    ...["senders", "room_state"].flatMap((table) => lobby.db.rows(`SELECT * FROM ${table}`)),
    lobby.db.messages,
  ]).includes(ERASED);

const others = () => lobby.append(text("a-b", `m${lobby.log.head + 1}`, "stays"));

it("an erasure leaves nothing of its sender in the room and in D1, and everything of others", async () => {
  lobby.sayMany(150);
  others();
  lobby.append(text(`${ERASED}/claude`, "x"));
  await lobby.copy();
  expect(await erasures.erase(moderator, ERASED)).toEqual({ pending: false });
  await alarm();
  expect([left(), named(), lobby.contentOf(151)]).toEqual([[0, 0], false, "stays"]);
  expect(erasures.due).toBeUndefined();
  expect(lobby.db.rows("SELECT sender FROM senders ORDER BY sender")).toEqual([{ sender: "a-b" }]);
});

it("what its sender says later stays, and D1 knows again that they wrote", async () => {
  lobby.sayMany(3);
  await erasures.erase(moderator, ERASED);
  lobby.say("later");
  await alarm();
  expect([left(), lobby.contentOf(5)]).toEqual([[1, 1], "later"]);
  expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([{ sender: ERASED }]);
});

it("of a long room is carried out in steps, and gone on with where a restart has cut it off", async () => {
  lobby.sayMany(3 * ERASED_AT_ONCE);
  await lobby.copy();
  lobby.db.trouble = "away";
  await erasures.erase(moderator, ERASED);
  const first = lobby.log.eraseStep.bind(lobby.log);
  first();
  restart();
  expect(lobby.log.get(1)).toMatchObject({ sender: "", content: "" });
  lobby.db.trouble = undefined;
  await alarm();
  expect([left(), named()]).toEqual([[0, 0], false]);
});

it.each(["away", "read-only", "mute"] as const)(
  "waits for a D1 that is %s, and is shown to nobody meanwhile",
  async (trouble) => {
    lobby.sayMany(900);
    await lobby.copy();
    lobby.db.trouble = trouble;
    expect(await erasures.erase(moderator, ERASED)).toEqual({ pending: true });
    expect(lobby.log.after(0, 900).some(({ content }) => content !== "")).toBe(false);
    await alarm(3);
    expect(lobby.log.erasures).toHaveLength(1);
    lobby.db.trouble = undefined;
    restart();
    await alarm();
    expect([left(), named(), erasures.due]).toEqual([[0, 0], false, undefined]);
  },
);

it("gets nothing back by a copy from before it that arrives late", async () => {
  const late = await lobby.batchesOf(() => {
    lobby.sayMany(150);
    return lobby.copy();
  });
  lobby.delete(3);
  late.push(...(await lobby.batchesOf(() => lobby.copy())));
  await erasures.erase(moderator, ERASED);
  late.push(...(await lobby.batchesOf(() => alarm())));
  for (const again of late) await again();
  expect([left(), named()]).toEqual([[0, 0], false]);
});

it("is done again in a D1 that was set back to before it", async () => {
  lobby.sayMany(250);
  others();
  await lobby.copy();
  const setBack = lobby.db.remember();
  await erasures.erase(moderator, ERASED);
  await alarm();
  setBack();
  expect(left()).toEqual([0, 250]);
  others();
  await alarm();
  expect([left(), named()]).toEqual([[0, 0], false]);
});

it("is gone on with by a room that has lost its own storage, and that shows nothing of it from its first moment", async () => {
  lobby.sayMany(1_250);
  await lobby.copy();
  // D1 has the entry, and not yet all that it has emptied.
  lobby.append({ id: "e", kind: "erasure", sender: "calm-heron", content: ERASED, ref: 1_250 });
  await lobby.copy();
  await lobby.lose();
  erasures = open();
  expect(lobby.log.after(0, 9_999).filter(({ sender }) => sender === ERASED)).toEqual([]);
  expect(lobby.log.find(ERASED, "m1250")?.seq).toBe(1_250);
  await alarm();
  expect([left(), named(), lobby.log.erasures]).toEqual([[0, 0], false, []]);
});

describe("an order of the operator's", () => {
  it("is kept where the room can't take it, and carried out over a restart", async () => {
    lobby.sayMany(3);
    refusal = fault("unavailable", "The room's storage is full.");
    expect(await erasures.erase(operator, ERASED)).toMatchObject({ fault: "unavailable" });
    restart();
    expect(erasures.due).toBe(lobby.now);
    await alarm(1);
    expect(lobby.log.orders).toHaveLength(1);
    refusal = undefined;
    await alarm();
    expect([left(), named(), lobby.log.orders, erasures.due]).toEqual([[0, 0], false, [], undefined]);
    expect(forgotten).toContain(ERASED);
  });

  it("about somebody who has said nothing here leaves nothing but that they are forgotten", async () => {
    expect(await erasures.erase(operator, ERASED)).toEqual({ pending: false });
    expect([lobby.log.head, lobby.log.orders, forgotten]).toEqual([0, [], [ERASED]]);
  });

  it("that D1 knows of reaches a room that has not been told, when it tells D1 who writes", async () => {
    lobby.sayMany(3);
    const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ERASED)))];
    const hex = hash.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const columns = lobby.db.rows<{ name: string }>("PRAGMA table_info(erasure_orders)").map(({ name }) => name);
    expect(columns).toEqual(expect.arrayContaining(["sender_hash", "at"]));
    lobby.db.rows("INSERT INTO erasure_orders (sender_hash, at) VALUES (?, ?)", [
      hex,
      new Date(lobby.now).toISOString(),
    ]);
    lobby.now += 1;
    lobby.say("said after the order");
    await lobby.copy();
    await alarm();
    expect([left(), lobby.contentOf(4)]).toEqual([[1, 1], "said after the order"]);
  });
});

it("two that are under way together end together, and keep no name", async () => {
  lobby.sayMany(120);
  lobby.append(text("calm-fox", "f1", "also erased"));
  others();
  await lobby.copy();
  lobby.db.trouble = "read-only";
  for (const sender of [ERASED, "calm-fox"]) {
    expect(await erasures.erase(operator, sender)).toEqual({ pending: true });
  }
  lobby.db.trouble = undefined;
  restart();
  await alarm(1);
  expect([lobby.log.erasures, named(), JSON.stringify(lobby.db.messages).includes("calm-fox")]).toEqual([
    [],
    false,
    false,
  ]);
  expect(erasures.due).toBeUndefined();
});
