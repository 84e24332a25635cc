import { describe, expect, test } from "vitest";
import type { Message } from "../../party/protocol.ts";
import type { Cursor, CursorStore } from "./cursor.ts";
import { FakeClock } from "./fake-clock.ts";
import { message, run, welcome } from "./fake-socket.ts";
import { MessageFeed } from "./message-feed.ts";
import type { Page, PageRequest } from "./page.ts";
import { RoomError } from "./room-error.ts";

const ALL = () => true;
/** Everything that is due has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function setUp(from?: Cursor, log: Message[] = []) {
  const clock = new FakeClock();
  const saved: Cursor[] = [];
  const asked: PageRequest[] = [];
  const store: CursorStore = {
    load: async () => from,
    save: async (cursor) => void saved.push(cursor),
  };
  const room = { refusal: undefined as RoomError | undefined, epoch: "e1", first: 1 };
  const page = async (request: PageRequest): Promise<Page> => {
    asked.push(request);
    if (room.refusal) throw room.refusal;
    const { after = 0, before, limit = 200 } = request;
    const left = log.filter(({ seq }) => seq >= room.first);
    if (before === undefined && after < room.first - 1) {
      return { messages: left.slice(-limit), head: log.length, epoch: room.epoch, more: false, reset: true };
    }
    const beyond = left.filter(({ seq }) => (before === undefined ? seq > after : seq < before));
    const messages = before === undefined ? beyond.slice(0, limit) : beyond.slice(-limit);
    return {
      messages,
      head: log.length,
      epoch: room.epoch,
      more: beyond.length > messages.length,
      ...(request.epoch !== room.epoch && { reset: true as const }),
    };
  };
  const feed = new MessageFeed({ clock, page, store }, from);
  const tell = (messages: Message[]) => feed.hear({ type: "messages", messages, history: false });
  const begin = (messages: Message[], more = {}, resumed = false) => {
    feed.hear({ type: "welcome", welcome: welcome(messages, more), resumed });
    feed.hear({ type: "messages", messages, history: !resumed });
  };
  return { feed, clock, saved, asked, room, tell, begin };
}

/** Reads until the feed has nothing more, and gives the seqs. */
async function drain(feed: MessageFeed, into: number[] = []): Promise<number[]> {
  const reading = (async () => {
    for await (const { seq } of feed.read(ALL)) into.push(seq);
  })();
  reading.catch(() => {});
  await settled();
  return into;
}

describe("a feed", () => {
  test("gives nothing of what was deleted or erased before the loop came to it, and keeps its place", async () => {
    const { feed, begin, tell } = setUp();
    begin([]);
    tell(run(1, 3).map((message) => ({ ...message, sender: message.seq === 2 ? "a-b" : "c-d" })));
    const removal = { content: "", sender: "owner" };
    tell([
      message(4, { ...removal, kind: "erasure", erased: "a-b", upTo: 3 }),
      message(5, { ...removal, kind: "deletion", target: 3 }),
    ]);
    const given: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const { content, deleted } of feed.read(ALL)) given.push(deleted ? "deleted" : content);
    })();
    reading.catch(() => {});
    await settled();
    expect(given).toEqual([run(1, 1)[0]?.content, "deleted", "deleted", "", ""]);
  });

  test("begins at the head, and gives what comes, also what came before the loop", async () => {
    const { feed, begin, tell } = setUp();
    begin(run(1, 3));
    tell(run(4, 5));
    const seqs = await drain(feed);
    tell(run(6, 6));
    await settled();
    expect(seqs).toEqual([4, 5, 6]);
  });

  test("begins after the cursor of an earlier stay", async () => {
    const { feed, begin } = setUp({ after: 2, epoch: "e1" });
    begin(run(3, 5), {}, true);
    expect(await drain(feed)).toEqual([3, 4, 5]);
  });

  test("whose cursor lies before what is gone goes on with the first message that is left, page by page", async () => {
    const { feed, begin, room, asked } = setUp({ after: 2, epoch: "e1", at: message(2).createdAt }, run(1, 700));
    room.first = 100;
    begin(run(651, 700), { reset: true });
    const seqs = await drain(feed);
    expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([601, 100, 700]);
    expect(asked.length).toBeLessThan(15);
  });

  test("in a new history whose beginning is gone goes on with what is left of it", async () => {
    for (const at of ["2020-01-01T00:00:00.000Z", undefined]) {
      const { feed, begin, room } = setUp({ after: 2, epoch: "e0", ...(at && { at }) }, run(1, 300));
      room.first = 100;
      begin(run(251, 300), { reset: true });
      const seqs = await drain(feed);
      expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([201, 100, 300]);
    }
  });

  test("of a room of which all is gone waits for what comes next", async () => {
    const { feed, begin, room, tell } = setUp({ after: 2, epoch: "e1" }, run(1, 5));
    room.first = 6;
    begin([], { head: 5, reset: true });
    const seqs = await drain(feed);
    expect(seqs).toEqual([]);
    tell(run(6, 7));
    await settled();
    expect(seqs).toEqual([6, 7]);
  });

  test("moves the cursor behind a message when the next one is asked for, and not before", async () => {
    const { feed, begin, tell, saved } = setUp();
    begin([]);
    tell(run(1, 2));
    const loop = feed.read(ALL);
    await loop.next();
    expect(saved).toEqual([]);
    await loop.next();
    expect(saved).toEqual([{ after: 1, epoch: "e1", at: message(1).createdAt }]);
  });

  test("left by break the cursor stays before the message; the next loop goes on behind it", async () => {
    const { feed, begin, tell, saved } = setUp();
    begin([]);
    tell(run(1, 3));
    for await (const { seq } of feed.read(ALL)) if (seq === 2) break;
    expect(saved.map(({ after }) => after)).toEqual([1]);
    expect(await drain(feed)).toEqual([3]);
  });

  test("closed in the body, the message counts as handled and the loop ends", async () => {
    const { feed, begin, tell, saved } = setUp();
    begin([]);
    tell(run(1, 3));
    const seqs: number[] = [];
    for await (const { seq } of feed.read(ALL)) {
      seqs.push(seq);
      feed.end();
    }
    expect([seqs, saved.at(-1)?.after]).toEqual([[1], 1]);
  });

  test("moves the cursor past what the loop does not want, some time later", async () => {
    const { feed, begin, tell, saved, clock } = setUp();
    begin([]);
    const loop = feed.read(() => false).next();
    tell(run(1, 50));
    await settled();
    clock.pass(1_000);
    await settled();
    expect(saved.map(({ after }) => after)).toEqual([50]);
    tell(run(51, 60));
    await settled();
    feed.end();
    await loop;
    await feed.save();
    expect(saved.at(-1)?.after).toBe(60);
    expect(clock.waiting).toBe(0);
  });

  test("has one loop at a time: a later one takes over, and the earlier one is told", async () => {
    const { feed, begin, tell, saved } = setUp();
    begin([]);
    const earlier = expect(feed.read(ALL).next()).rejects.toMatchObject({ code: "invalid" });
    const seqs = await drain(feed);
    await earlier;
    tell(run(1, 2));
    await settled();
    expect(seqs).toEqual([1, 2]);
    const dropped = feed.read(ALL);
    const given = dropped.next();
    tell(run(3, 3));
    await expect(given).resolves.toMatchObject({ value: { seq: 3 } });
    tell(run(4, 4));
    const after = feed.read(ALL);
    await expect(after.next()).resolves.toMatchObject({ value: { seq: 4 } });
    await expect(dropped.next()).rejects.toMatchObject({ code: "invalid" });
    // Not behind 3: nobody has asked for what follows it.
    expect(saved.at(-1)?.after).toBe(2);
  });

  test("left while it waits, a loop ends at once, and takes no message with it", async () => {
    const { feed, begin, tell } = setUp();
    begin([]);
    const left = feed.read(ALL);
    const waiting = left.next();
    await expect(left.return()).resolves.toMatchObject({ done: true });
    await expect(waiting).resolves.toEqual({ done: true, value: undefined });
    const seqs = await drain(feed);
    tell(run(1, 1));
    await settled();
    expect(seqs).toEqual([1]);
  });

  test("that the room has closed goes on when the room is asked again, with what came meanwhile", async () => {
    const { feed, begin, tell } = setUp(undefined, run(1, 4));
    begin([]);
    tell(run(1, 2));
    feed.end(new RoomError("not_found", "There is no such room."));
    await expect(feed.read(ALL).next()).rejects.toMatchObject({ code: "not_found" });
    feed.reopen();
    begin(run(3, 4), {}, true);
    expect(await drain(feed)).toEqual([1, 2, 3, 4]);
  });

  test("ends when its signal does, or the stay, and throws when the room has closed it", async () => {
    const { feed, begin, tell } = setUp();
    begin([]);
    const over = new AbortController();
    const first = feed.read(ALL, over.signal).next();
    await settled();
    over.abort();
    await expect(first).resolves.toEqual({ done: true, value: undefined });
    tell(run(1, 1));
    const second = feed.read(ALL);
    await expect(second.next()).resolves.toMatchObject({ value: { seq: 1 } });
    feed.end(new RoomError("unauthorized", "This key is not valid."));
    await expect(second.next()).rejects.toMatchObject({ code: "unauthorized" });
    await expect(feed.read(ALL).next()).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("a cursor that can't be saved ends the loop", async () => {
    const { feed, begin, tell, clock } = setUp();
    begin([]);
    const full = new Error("ENOSPC");
    const feedOf = new MessageFeed({
      clock,
      page: () => Promise.reject(full),
      store: { load: async () => undefined, save: () => Promise.reject(full) },
    });
    feedOf.hear({ type: "welcome", welcome: welcome([]), resumed: false });
    feedOf.hear({ type: "messages", messages: run(1, 2), history: false });
    const loop = feedOf.read(ALL);
    await loop.next();
    await expect(loop.next()).rejects.toBe(full);
    const skipping = feedOf.read(() => false).next();
    await settled();
    clock.pass(1_000);
    await expect(skipping).rejects.toBe(full);
    tell([]);
    expect(feed).toBeDefined();
  });
});

describe("what does not fit in memory", () => {
  test("is read from the log when the loop comes to it: 3,000 that came while nobody read", async () => {
    const log = run(1, 3_000);
    const { feed, begin, tell, asked } = setUp(undefined, log);
    begin([]);
    for (let from = 0; from < 3_000; from += 100) tell(log.slice(from, from + 100));
    const seqs = await drain(feed);
    for (let turn = 0; turn < 50; turn++) await settled();
    expect(seqs).toEqual(log.map(({ seq }) => seq));
    expect(asked[0]).toMatchObject({ after: 1_000, epoch: "e1", limit: 200 });
  });

  test("nor in a resume: what lies before the newest messages is read from the log", async () => {
    const log = run(1, 600);
    const { feed, begin, asked } = setUp({ after: 100, epoch: "e1", at: message(100).createdAt }, log);
    begin(run(551, 600), { reset: true });
    const seqs = await drain(feed);
    for (let turn = 0; turn < 20; turn++) await settled();
    expect(seqs).toEqual(run(101, 600).map(({ seq }) => seq));
    expect(asked.map(({ after }) => after)).toEqual([100, 300, 500]);
  });

  test("what a page still has, and the room has told to be deleted, is not given", async () => {
    const { feed, begin, tell } = setUp({ after: 0, epoch: "e1" }, run(1, 5));
    begin(run(4, 5), {}, true);
    tell([message(6, { kind: "deletion", content: "", sender: "owner", target: 2 })]);
    const contents: Record<number, string> = {};
    const reading = (async () => {
      for await (const { seq, content } of feed.read(ALL)) contents[seq] = content;
    })();
    reading.catch(() => {});
    await settled();
    expect(Object.keys(contents)).toHaveLength(6);
    expect(contents[2]).toBe("");
  });

  test("a log that can't be read now is read later; one that refuses ends the loop", async () => {
    const log = run(1, 60);
    const { feed, begin, clock, room } = setUp({ after: 5, epoch: "e1" }, log);
    room.refusal = new RoomError("unavailable", "Not now.", { retryAfter: 3 });
    begin(run(51, 60), { reset: true });
    const seqs = await drain(feed);
    expect(seqs).toEqual([]);
    room.refusal = undefined;
    clock.pass(3_000);
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(seqs).toEqual(run(6, 60).map(({ seq }) => seq));
    const refused = setUp({ after: 5, epoch: "e1" }, log);
    refused.room.refusal = new RoomError("not_found", "There is no such room.");
    refused.begin(run(51, 60), { reset: true });
    await expect(refused.feed.read(ALL).next()).rejects.toMatchObject({ code: "not_found" });
  });

  test("a log that can't be read now is read later also when the timer comes a moment early", async () => {
    const log = run(1, 60);
    const { feed, begin, clock, room } = setUp({ after: 5, epoch: "e1" }, log);
    clock.early = 0.5;
    room.refusal = new RoomError("unavailable", "Not now.", { retryAfter: 3 });
    begin(run(51, 60), { reset: true });
    const seqs = await drain(feed);
    room.refusal = undefined;
    for (const time of [2_999.5, 1, 0, 0, 0]) {
      clock.pass(time);
      await settled();
    }
    expect(seqs).toEqual(run(6, 60).map(({ seq }) => seq));
  });

  test("what the log has lost is passed over", async () => {
    const { feed, begin } = setUp({ after: 5, epoch: "e1" }, run(51, 60));
    begin(run(51, 60), { reset: true });
    expect(await drain(feed)).toEqual(run(51, 60).map(({ seq }) => seq));
  });
});

describe("a new history of the room", () => {
  test("skips what was handled, which is known by its time, and gives the rest", async () => {
    const { feed, begin, saved } = setUp({ after: 3, epoch: "e0", at: message(3).createdAt });
    // The log was rebuilt: the same messages under the same seqs, and one that lost its place.
    begin(run(1, 5), { reset: true });
    expect(await drain(feed)).toEqual([4, 5]);
    expect(saved.at(-1)).toMatchObject({ after: 5, epoch: "e1" });
  });

  test("with seqs that begin again", async () => {
    const { feed, begin, tell } = setUp();
    begin(run(1, 100));
    tell(run(101, 101));
    const seqs = await drain(feed);
    const later = [1, 2].map((seq) => ({ ...message(seq), createdAt: message(200 + seq).createdAt }));
    begin(later, { epoch: "e2", reset: true });
    await settled();
    expect(seqs).toEqual([101, 1, 2]);
  });

  test("that a page tells of before the connection does is waited for", async () => {
    const { feed, begin, room, asked, clock } = setUp({ after: 5, epoch: "e1", at: message(5).createdAt }, run(1, 60));
    room.epoch = "e2";
    begin(run(51, 60), { reset: true });
    const seqs = await drain(feed);
    expect([seqs, asked.length]).toEqual([[], 1]);
    begin(run(56, 60), { epoch: "e2", reset: true });
    clock.pass(1_000);
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(seqs).toEqual(run(6, 60).map(({ seq }) => seq));
  });

  test("is read from the last message that was handled, however far that lies before what the room tells at first", async () => {
    const log = run(1, 1_500);
    const { feed, begin, room, asked } = setUp({ after: 300, epoch: "e0", at: message(300).createdAt }, log);
    room.epoch = "e1";
    begin(run(1_451, 1_500), { reset: true });
    const seqs = await drain(feed);
    for (let turn = 0; turn < 40; turn++) await settled();
    expect(seqs).toEqual(run(301, 1_500).map(({ seq }) => seq));
    expect(asked.filter(({ before }) => before).map(({ before }) => before)).toEqual([
      1_451, 1_251, 1_051, 851, 651, 451,
    ]);
  });

  test("of which all is new is read from its first message", async () => {
    const { feed, begin } = setUp({ after: 900, epoch: "e0", at: message(0).createdAt }, run(1, 80));
    begin(run(31, 80), { reset: true });
    const seqs = await drain(feed);
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(seqs).toEqual(run(1, 80).map(({ seq }) => seq));
  });

  test("for a cursor that names no time is read from the same seq, or from the beginning where it has none", async () => {
    for (const [after, first] of [
      [20, 21],
      [0, 1],
      [81, 1],
    ] as const) {
      const { feed, begin } = setUp({ after, epoch: "e0" }, run(1, 80));
      begin(run(31, 80), { reset: true });
      const seqs = await drain(feed);
      for (let turn = 0; turn < 5; turn++) await settled();
      expect(seqs).toEqual(run(first, 80).map(({ seq }) => seq));
    }
  });

  test("that begins while the loop is busy does not take the cursor of the old one for its own", async () => {
    const { feed, begin, tell, saved, room } = setUp(undefined, run(1, 80));
    begin([]);
    tell(run(1, 70));
    const loop = feed.read(ALL);
    for (let count = 0; count < 60; count++) await loop.next();
    room.epoch = "e2";
    begin(run(71, 80), { epoch: "e2", reset: true });
    await expect(loop.next()).resolves.toMatchObject({ value: { seq: 61 } });
    expect(saved.at(-1)).toEqual({ after: 60, epoch: "e1", at: message(60).createdAt });
  });
});
