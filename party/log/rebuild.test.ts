/** A log that is filled with what D1 has is, in the end, the log that was lost. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answer, ask, erasure, expiry, openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import type { Seq } from "../protocol.ts";
import type { RoomLog } from "./room-log.ts";
import type { StoredMessage, Unplaced } from "./stored-message.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const SENDERS = ["anna", "anna/bot", "bob", "cleo"];

/** As D1 has a message: what has closed it follows from the log. */
const copied = ({ closed: _, ...message }: StoredMessage): StoredMessage => message;

const hasIndex = (storage: TestStorage) =>
  storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'changers'").toArray().length > 0;

const writersOf = (storage: TestStorage) =>
  storage.sql.exec<{ sender: string }>("SELECT sender FROM writers ORDER BY sender").toArray();

const rowsOf = (storage: TestStorage) => storage.sql.exec("SELECT * FROM messages ORDER BY seq").toArray();

/** Fills a log from `messages`, newest first, in pieces of these lengths. */
function fillAll(log: RoomLog, messages: readonly StoredMessage[], lengths: readonly number[], between: () => void) {
  for (let piece = 0; !log.isWhole; piece++) {
    const from = Math.max(1, log.oldest - (lengths[piece % lengths.length] ?? 1));
    log.fill(
      messages.filter(({ seq }) => seq >= from && seq < log.oldest),
      from,
    );
    between();
  }
}

it("is the whole log, for any entries, any cut and any pieces, also where D1 lags behind its entries", () => {
  const entry = fc.record({
    what: fc.constantFrom("text", "text", "ask", "answer", "expiry", "deletion", "erasure"),
    who: fc.constantFrom(...SENDERS),
    place: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const pieces = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 25 }),
      fc.nat(),
      pieces,
      fc.boolean(),
      (entries, cut, lengths, late) => {
        const storage = new TestStorage();
        const log = startedLog(storage);
        // What D1 has of a message when it was copied before anything happened to it.
        const fresh = new Map<Seq, StoredMessage>();
        for (const [index, { what, who, place }] of entries.entries()) {
          const about = 1 + Math.floor(place * Math.max(0, log.head - 1));
          const made: Record<string, () => Unplaced> = {
            text: () => text(who, `m${index}`),
            ask: () => ask(`m${index}`, who),
            answer: () => answer(about, who),
            expiry: () => expiry(about),
            deletion: () => deletion(who, about),
            erasure: () => erasure(who, log.head),
          };
          const [message] = log.append([(made[what] as () => Unplaced)()], NOON + index);
          if (message) fresh.set(message.seq, message);
        }
        while (!late && log.eraseStep());
        const whole = log.after(0, 99);
        const inD1 = late ? [...fresh.values()] : whole.map(copied);
        const disk = new TestStorage();
        const rebuilt = openLog(disk);
        const kept = inD1.slice(Math.min(cut % (inD1.length + 1), inD1.length));
        rebuilt.start({ messages: kept, head: log.head, asks: [...log.asks.opened.values()] });
        fillAll(rebuilt, inD1, lengths, () =>
          expect(seqs(rebuilt.after(rebuilt.oldest - 1, 99))).toHaveLength(rebuilt.head - rebuilt.oldest + 1),
        );
        for (const one of [rebuilt, openLog(disk)]) {
          expect(one.after(0, 99)).toEqual(whole);
          expect([one.oldest, one.head, one.newestErasure]).toEqual([1, log.head, log.newestErasure]);
          expect(one.asks.opened).toEqual(log.asks.opened);
        }
        while (rebuilt.eraseStep());
        while (log.eraseStep());
        expect(rowsOf(disk)).toEqual(rowsOf(storage));
        expect(writersOf(disk)).toEqual(writersOf(storage));
        expect(hasIndex(disk)).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
});

describe("a log that is not whole", () => {
  function lost(count: number, kept: number) {
    const log = startedLog();
    const messages = log.append(
      Array.from({ length: count }, (_, index) => text("swift-otter", `m${index + 1}`)),
      NOON,
    );
    const storage = new TestStorage();
    const rebuilt = openLog(storage);
    rebuilt.start({ messages: messages.slice(count - kept) });
    return { messages, storage, rebuilt };
  }

  it("is filled once however often a piece comes, and goes on where a restart has cut it off", () => {
    const { messages, storage, rebuilt } = lost(300, 50);
    for (let time = 0; time < 2; time++) rebuilt.fill(messages.slice(150, 250), 151);
    const woken = openLog(storage);
    expect([woken.oldest, woken.isWhole, hasIndex(storage)]).toEqual([151, false, true]);
    woken.fill(messages.slice(0, 150), 1);
    rebuilt.close();
    expect([woken.isWhole, hasIndex(storage), seqs(woken.after(0, 999)).length]).toEqual([true, false, 300]);
    woken.fill(messages, 1);
    expect(seqs(openLog(storage).after(0, 999))).toHaveLength(300);
  });

  it("says which packs are here as a whole: no other may be written over what D1 has", () => {
    const { messages, rebuilt } = lost(350, 150);
    const packs = [rebuilt.packsFrom];
    for (const from of [150, 102, 101, 1]) {
      rebuilt.fill(messages.slice(from - 1, rebuilt.oldest - 1), from);
      packs.push(rebuilt.packsFrom);
    }
    expect(packs).toEqual([201, 201, 201, 101, 1]);
  });

  it("has the packs copied again whose words D1 has still, though they were deleted meanwhile", () => {
    const { messages, rebuilt } = lost(300, 50);
    rebuilt.append([deletion("swift-otter", 120)], NOON);
    const flight = rebuilt.dirty.beginFlight();
    flight.end([101], []);
    rebuilt.fill(messages.slice(100, 250), 101);
    expect([rebuilt.get(120)?.content, rebuilt.deletionOf(120)?.seq, rebuilt.dirty.packs(9, 0)]).toEqual([
      "",
      301,
      [101],
    ]);
  });

  it("recognises the retry of what it is filled with, also after a restart", () => {
    const { messages, storage, rebuilt } = lost(3_000, 50);
    rebuilt.append([text("a-b", "new")], NOON);
    expect(rebuilt.find("swift-otter", "m7")).toBeUndefined();
    rebuilt.fill(messages.slice(0, 2_950), 1);
    for (const one of [rebuilt, openLog(storage)]) {
      for (const seq of [1, 7, 2_950, 2_951, 3_000]) expect(one.find("swift-otter", `m${seq}`)?.seq).toBe(seq);
      expect(one.find("a-b", "new")?.seq).toBe(3_001);
    }
  });

  it("knows by a dump of the pairs that D1 has the message of a retry", () => {
    const log = startedLog();
    const messages = log.append([text("a-b", "1"), text("a-b", "2"), text("a-b", "3")], NOON);
    const rebuilt = openLog(new TestStorage());
    rebuilt.start({ messages: messages.slice(2), pairs: log.pairsUpTo(3) });
    expect(["1", "2", "3", "4"].map((id) => rebuilt.isAwaited("a-b", id))).toEqual([true, true, false, false]);
    rebuilt.fill(messages.slice(0, 2), 1);
    expect(rebuilt.find("a-b", "1")?.seq).toBe(1);
  });

  it("ends no erasure that may have something to take of what is to come", () => {
    const { messages, rebuilt } = lost(30, 5);
    rebuilt.append([erasure("swift-otter", 30)], NOON);
    while (rebuilt.eraseStep());
    rebuilt.endErasure(31);
    expect(rebuilt.erasures).toHaveLength(1);
    rebuilt.fill(messages.slice(0, 25), 1);
    expect(JSON.stringify(rebuilt.after(0, 99))).not.toContain("swift-otter says");
    rebuilt.endErasure(31);
    expect(rebuilt.erasures).toEqual([]);
  });

  it("is one again where D1 is given older messages by hand, and keeps what it has of them", () => {
    const { messages, storage, rebuilt } = lost(30, 30);
    rebuilt.append([deletion("swift-otter", 7)], NOON);
    rebuilt.expectAll(20);
    expect([rebuilt.oldest, rebuilt.isWhole, rebuilt.after(5, 9), openLog(storage).oldest]).toEqual([
      20,
      false,
      [],
      20,
    ]);
    rebuilt.fill(messages.slice(0, 19), 1);
    expect([rebuilt.isWhole, rebuilt.get(7)?.content, seqs(rebuilt.after(0, 99)).length]).toEqual([true, "", 31]);
  });

  it("is whole when what is missing is gone because of its age", () => {
    const { storage, rebuilt } = lost(30, 5);
    rebuilt.hideBelow(28);
    rebuilt.removeGone();
    expect([rebuilt.isWhole, hasIndex(storage), openLog(storage).isWhole]).toEqual([true, false, true]);
  });
});
