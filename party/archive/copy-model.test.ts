/**
 * The copy in D1 under everything that can happen to it: D1 fails, loses an answer, takes one late, is set back, and the room
 * restarts at any point. At rest D1's copy equals the room, and a room that is rebuilt from it equals it, too.
 */

import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { deletion, TestD1, TestStorage, type Trouble, text } from "../../test/unit/sqlite.ts";
import { askContent } from "../asks/ask.ts";
import { RoomLog } from "../log/room-log.ts";
import type { Statement } from "../log/sql.ts";
import { answerKind, type StoredMessage, toMessage } from "../log/stored-message.ts";
import { Roster } from "../members/roster.ts";
import { takesSender } from "../protocol.ts";
import { DAY } from "../retention/keep.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "../room-record.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { Copier } from "./copier.ts";
import { forgetSenders } from "./d1-copy.ts";
import { partBody, partRows } from "./parts.ts";
import { beginLog, Rebuild } from "./rebuild.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const SENDERS = ["swift-otter", "swift-otter/claude", "calm-fox"];

/** A room with its copy, of which every part can be lost but the storage. */
class Room {
  now = NOON;
  readonly db = new TestD1();
  storage: RoomStorage;
  log: RoomLog;
  copier: Copier;
  #set: (() => void) | undefined;
  readonly #late: (() => Promise<unknown>)[] = [];
  /** `late`: what is asked fails, and is done later all the same. `slow`: it is done, and answered, later. */
  answers: "at once" | "late" | "slow" = "at once";
  /** Settles when something is asked that is answered later. */
  #asked = Promise.withResolvers<void>();
  #isWaiting = false;

  constructor(readonly disk = new TestStorage()) {
    this.storage = new RoomStorage(disk);
    this.log = new RoomLog(this.storage);
    const batch = this.db.batch.bind(this.db);
    this.db.batch = <Row>(statements: Statement[]) => {
      if (this.answers === "at once") return batch<Row>(statements);
      if (this.answers === "late") {
        this.#late.push(() => batch(statements));
        return Promise.reject(new Error("D1_ERROR: Network connection lost."));
      }
      const answer = Promise.withResolvers<{ results: Row[] }[]>();
      this.#late.push(() => batch<Row>(statements).then(answer.resolve, answer.reject));
      this.#isWaiting = true;
      this.#asked.resolve();
      return answer.promise;
    };
    if (!this.log.started) this.log.start({ messages: [] });
    this.copier = this.#copier();
  }

  get record(): RoomRecord {
    const [row] = this.db.rows<{ last_seq: number; first_seq: number; epoch: string | null }>(
      "SELECT last_seq, first_seq, epoch FROM rooms WHERE id = 'lobby'",
    );
    return {
      ...{
        id: "lobby",
        name: "Lobby",
        topic: "",
        listed: true,
        access: "open",
        createdByHandle: null,
        createdBy: null,
      },
      ...{
        createdAt: this.db.createdAt,
        settings: DEFAULT_SETTINGS,
        revision: 1,
        lastMessageAt: null,
        goneBefore: null,
      },
      ...{ lastSeq: row?.last_seq ?? 0, epoch: row?.epoch ?? null, firstSeq: row?.first_seq ?? 1, knownKeepDays: 0 },
      guestPepper: "pepper",
    };
  }

  say(count: number, who: number): void {
    const sender = SENDERS[who % SENDERS.length] as string;
    const lines = Array.from({ length: count }, (_, n) => text(sender, `m${this.log.head + n + 1}`));
    this.now += 1_000;
    this.log.append(lines, this.now);
  }

  delete(part: number): void {
    const target = this.#seqAt(part);
    const message = target === undefined ? undefined : this.log.get(target);
    if (message?.kind === "text" && message.content !== "")
      this.log.append([deletion("calm-fox", message.seq)], this.now);
  }

  erase(who: number): void {
    const sender = SENDERS[who % SENDERS.length] as string;
    const upTo = this.log.head;
    if (upTo === 0) return;
    const entry = { id: `erase:${upTo}`, kind: "erasure" as const, sender: "operator", content: sender, ref: upTo };
    this.log.append([entry], this.now);
  }

  ask(): void {
    const content = askContent("Shall I?", {
      options: [
        { id: "y", label: "Yes" },
        { id: "n", label: "No" },
      ],
      from: "people",
    });
    const { head } = this.log;
    this.log.append([{ id: `a${head}`, kind: "ask", sender: "swift-otter/claude", content, ref: null }], this.now);
  }

  answer(): void {
    const [ask] = this.log.asks.opened.values();
    if (!ask) return;
    const id = `r${this.log.head}`;
    this.log.append([{ id, kind: answerKind("y"), sender: "calm-fox", content: "Yes", ref: ask.seq }], this.now);
  }

  member(who: number): void {
    const sender = `otter-${who}`;
    const member = { sender, role: "member" as const, since: NOON, invite: null, uses: [], removed: false };
    new Roster(this.storage).put(member);
  }

  forget(part: number): void {
    const first = this.#seqAt(part);
    if (first !== undefined) this.log.hideBelow(first);
    while (this.log.removeGone());
  }

  restart(): void {
    this.#isWaiting = false;
    this.copier.close();
    this.log.close();
    this.storage = new RoomStorage(this.disk);
    this.log = new RoomLog(this.storage);
    this.copier = this.#copier();
  }

  remember(): void {
    this.#set = this.db.remember();
  }

  setBack(): void {
    this.#set?.();
  }

  /** D1 refuses the pack of a message, whatever else a copy brings, for as long as it takes to be noticed. */
  async refuse(part: number): Promise<void> {
    const seq = this.#seqAt(part);
    const message = seq === undefined ? undefined : this.log.get(seq);
    if (message?.kind !== "text") return;
    this.db.refuse(message.content);
    for (let tried = 0; tried < 5; tried++) await this.copy();
  }

  /** By an hour, with nothing on its way to D1. */
  async setClockBack(): Promise<void> {
    await this.arrive();
    this.now -= 3_600_000;
  }

  /** What was asked of D1 comes there, and is answered where somebody waits for it still. */
  async arrive(): Promise<void> {
    for (const batch of this.#late.splice(0)) await batch().catch(() => undefined);
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    await this.#run();
  }

  async copy(): Promise<void> {
    this.now += 120_000;
    if (!this.#isWaiting) await this.#run();
  }

  /** Until the copier has done what it can, or waits for an answer. */
  async #run(): Promise<void> {
    this.#asked = Promise.withResolvers();
    await Promise.race([this.copier.run(), this.#asked.promise]);
  }

  /** Carries erasures out, and ends them once D1 has all of it. */
  async finish(): Promise<void> {
    while (this.log.eraseStep());
    await this.copy();
    if (this.copier.isBehind || this.answers !== "at once" || this.db.trouble !== undefined) return;
    for (const { seq, sender } of this.log.erasures) {
      await this.db.batch([forgetSenders(this.db, { id: "lobby", createdAt: this.db.createdAt }, sender)]);
      this.log.writers.forgetTold(sender);
      this.log.endErasure(seq);
    }
  }

  /** Brings everything to rest: D1 is well again, and the room goes on until nothing is to be done. */
  async rest(): Promise<void> {
    this.answers = "at once";
    this.db.trouble = undefined;
    await this.arrive();
    this.db.refuse(undefined);
    this.now += 2 * DAY;
    // By which a set-back is noticed.
    this.say(1, 0);
    for (let tried = 0; this.copier.isBehind && tried < 50; tried++) await this.copy();
    await this.finish();
    for (let tried = 0; this.copier.isBehind && tried < 50; tried++) await this.copy();
  }

  #seqAt(part: number): number | undefined {
    const { first, head } = this.log;
    return head < first ? undefined : first + Math.floor(part * (head - first + 1));
  }

  #copier(): Copier {
    return new Copier({
      ...{ room: { id: "lobby", createdAt: this.db.createdAt }, log: this.log, db: this.db, now: () => this.now },
      ...{ record: () => this.record, goneBefore: () => 0, keepDays: 0, delay: 0, perSecond: 1e9 },
      part: (part) => partRows(this.storage, this.log, part),
      holds: { load: () => undefined, save: () => undefined },
      stored: () => ({ bytes: 0, limit: undefined }),
      noted: () => undefined,
      schedule: (_, run) => run(),
      changed: () => undefined,
      gone: async () => undefined,
    });
  }
}

/** All messages of a log, and as readers see them. */
const all = (log: RoomLog): StoredMessage[] => log.after(log.first - 1, 1e6);

/** A room that has lost its own storage. */
async function rebuilt(of: Room): Promise<{ log: RoomLog; storage: RoomStorage }> {
  const storage = new RoomStorage(new TestStorage());
  const log = new RoomLog(storage);
  const now = () => of.now;
  await beginLog(of.record, { now, db: of.db, log, storage, keepDays: 0, isWanted: () => true });
  const rebuild = new Rebuild({
    room: "lobby",
    log,
    db: of.db,
    now,
    changed: () => undefined,
    schedule: (_, run) => run(),
  });
  while (!log.isWhole) await rebuild.run();
  return { log, storage };
}

async function check(room: Room): Promise<void> {
  await room.rest();
  expect(room.copier.isBehind).toBe(false);
  const plain = ({ seq, id, kind, sender, content, ref }: StoredMessage) => ({ seq, id, kind, sender, content, ref });
  const archived = room.db.messages.map(({ created_at: _, ...message }) => message);
  expect(archived).toEqual(all(room.log).map(plain));
  const { log, storage } = await rebuilt(room);
  expect(all(log).map(toMessage)).toEqual(all(room.log).map(toMessage));
  expect([log.head, log.first, [...log.asks.opened]]).toEqual([
    room.log.head,
    room.log.first,
    [...room.log.asks.opened],
  ]);
  expect(partBody(storage, log, "members")).toBe(partBody(room.storage, room.log, "members"));
  const writers = room.disk.sql.exec<{ sender: string }>("SELECT sender FROM writers ORDER BY sender").toArray();
  expect(room.db.rows("SELECT sender FROM senders ORDER BY sender")).toEqual(writers);
  // Of somebody of whom nothing is left the room may know still that they wrote, and a rebuilt one can't.
  const wrote = SENDERS.filter((name) => all(room.log).some(({ sender }) => takesSender(name, sender)));
  const known = (of: RoomLog) => SENDERS.filter((sender) => of.writers.hasWritten(sender));
  expect(known(log)).toEqual(wrote);
  expect(known(room.log)).toEqual(expect.arrayContaining(wrote));
}

type Command = (room: Room) => unknown;
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 130 }), fc.nat(2)).map(
    ([count, who]) =>
      (room: Room) =>
        room.say(count, who),
  ),
  fc.double({ min: 0, max: 0.999, noNaN: true }).map((part) => (room: Room) => room.delete(part)),
  fc.nat(2).map((who) => (room: Room) => room.erase(who)),
  fc.constantFrom<Command>(
    (room) => room.ask(),
    (room) => room.answer(),
    (room) => room.copy(),
    (room) => room.restart(),
    (room) => room.log.eraseStep(),
    (room) => room.remember(),
    (room) => room.setBack(),
    (room) => room.arrive(),
    (room) => room.finish(),
    (room) => room.setClockBack(),
  ),
  fc.nat(9).map((who) => (room: Room) => room.member(who)),
  fc.double({ min: 0, max: 1.1, noNaN: true }).map((part) => (room: Room) => room.forget(part)),
  fc.double({ min: 0, max: 0.999, noNaN: true }).map((part) => (room: Room) => room.refuse(part)),
  fc.constantFrom("at once", "late", "slow").map((answers) => (room: Room) => {
    room.answers = answers;
  }),
  fc
    .constantFrom<Trouble | undefined>("away", "read-only", "mute", undefined, undefined)
    .map((trouble) => (room: Room) => {
      room.db.trouble = trouble;
    }),
);

it("at rest the copy in D1 equals the room, and a room that is rebuilt from it equals it, too", async () => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
      const room = new Room();
      for (const run of commands) await run(room);
      await check(room);
    }),
    { numRuns: 60 },
  );
});
