import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { message, run, welcome } from "../stay/fake-socket.ts";
import { RoomError } from "../stay/room-error.ts";
import type { RoomEvent } from "../stay/room-event.ts";
import { reduce, type ViewEvent } from "./reduce.ts";
import { EMPTY_ROOM, isAtHead, messageAt, quotedAt, type RoomState, WINDOW } from "./room-state.ts";

const given = (...events: ViewEvent[]): RoomState => events.reduce(reduce, EMPTY_ROOM);
const seqs = (messages: readonly Message[]): number[] => messages.map(({ seq }) => seq);
const begin = (messages: Message[], more = {}): RoomEvent[] => [
  { type: "welcome", welcome: welcome(messages, more), resumed: false },
  { type: "messages", messages, history: true },
];
const live = (from: number, to: number): RoomEvent => ({ type: "messages", messages: run(from, to), history: false });
const away: ViewEvent = { type: "following", following: false };

test.each(["forbidden", "conflict"] as const)("who may not read a room any more has nothing of it (%s)", (code) => {
  const state = given(...begin(run(1, 3)), {
    type: "status",
    status: "closed",
    code: 4403,
    error: new RoomError(code, "No."),
  });
  expect(state).toEqual({ ...EMPTY_ROOM, status: "closed", closeCode: 4403 });
});

test.each<[string, ViewEvent]>([
  ["the room is told of anew", { type: "room", room: welcome([]).room }],
  ["they come back to it", { type: "welcome", welcome: welcome([]), resumed: true }],
])("that they may not write is forgotten when %s, and that they are muted is not", (_, told) => {
  const refusedFor = (code: "read_only" | "muted"): ViewEvent => ({ type: "error", error: new RoomError(code, "No.") });
  expect(given(...begin(run(1, 3)), refusedFor("read_only"), told).refusal).toBeUndefined();
  expect(given(...begin(run(1, 3)), refusedFor("muted"), told).refusal?.code).toBe("muted");
});

test("a message that waited for a moderator stands there with their refusal", () => {
  const refusal = (code: "held" | "forbidden") => new RoomError(code, "No.", { about: { type: "send", id: "a" } });
  const message = { id: "a", content: "Hello", since: 0, state: "failed", error: refusal("held") } as const;
  const state = given({ type: "refused", message }, { type: "error", error: refusal("forbidden") });
  expect(state.pending).toEqual([{ ...message, error: refusal("forbidden") }]);
});

const you = (more = {}): RoomEvent => ({
  type: "you",
  you: { type: "you", sender: "swift-otter", owner: false, quota: { limit: 60, remaining: 60, window: 60 }, ...more },
});

test("what waits of one's own is shown once, and nothing of others", () => {
  const held = ["swift-otter", "amber-fox"].map((sender) => {
    return { messageId: "a", sender, content: `By ${sender}`, at: "2026-11-20T09:00:00.000Z" };
  });
  const told: ViewEvent = { type: "held", held, asked: [], refusals: new Map() };
  const { pending } = given(...begin([]), you(), told, told);
  expect(pending.map(({ content, error }) => [content, error?.code])).toEqual([["By swift-otter", "held"]]);
});

test("what was refused while it was asked what waits stands there as refused", () => {
  const refusal = new RoomError("forbidden", "No.");
  const held = ["a", "b"].map((messageId) => {
    return { messageId, sender: "swift-otter", content: messageId, at: "2026-11-20T09:00:00.000Z" };
  });
  const told: ViewEvent = { type: "held", held, asked: [], refusals: new Map([["a", refusal]]) };
  const { pending } = given(...begin([]), you(), told);
  expect(pending.map(({ id, error }) => [id, error?.code])).toEqual([
    ["a", "forbidden"],
    ["b", "held"],
  ]);
});

test("who is something else in the room now is not kept from what they were kept from before", () => {
  const before: ViewEvent = { type: "spared", spared: ["amber-fox"] };
  expect(given(...begin([]), you({ role: "moderator" }), before).spared).toEqual(["amber-fox"]);
  expect(given(...begin([]), before, you({ owner: true })).spared).toEqual([]);
});

describe("an ask", () => {
  const ask: Message["ask"] = {
    options: ["yes", "no"].map((id) => ({ id, label: id })),
    from: "people",
    until: "2026-12-01T00:00:00.000Z",
  };
  const answer = (seq: number): Message => message(seq, { replyTo: 1, answer: { target: 1, option: "no" } });
  const closed = { seq: 3, option: "no", by: "swift-otter" };
  const of = (state: RoomState) => quotedAt(state, 1)?.ask?.closed;

  test("is closed where it stands: in the window, in the tail, as what a reply answers, and in the same frame", () => {
    const told = (messages: Message[]): RoomEvent => ({ type: "messages", messages, history: false });
    const first = message(1, { ask });
    expect(of(given(...begin([first, message(2)]), told([answer(3)])))).toEqual(closed);
    expect(of(given(...begin([]), told([first, message(2), answer(3)])))).toEqual(closed);
    const quoted: ViewEvent = { type: "quoted", message: first };
    expect(of(given(...begin([message(2)]), quoted, told([answer(3)])))).toEqual(closed);
    const tail = given(
      ...begin(run(1, WINDOW)),
      away,
      told([message(501, { ask })]),
      told([{ ...answer(502), replyTo: 501 }]),
    );
    expect(tail.tail[0]?.ask?.closed).toMatchObject({ option: "no" });
  });

  test("is closed on a page that is older than its answer", () => {
    const page: ViewEvent = { type: "page", where: "older", messages: [message(1, { ask }), message(2)] };
    expect(of(given(...begin([answer(3), ...run(4, 5)]), page))).toEqual(closed);
  });
});

describe("the window", () => {
  test("grows at the newest end and lets its oldest go", () => {
    const state = given(...begin(run(1, 400)), live(401, 700));
    expect(state.messages.length).toBeLessThanOrEqual(WINDOW);
    expect(state.messages.at(-1)?.seq).toBe(700);
    expect(state.atStart).toBe(false);
  });

  test("stays where somebody reads; what does not fit waits in the tail", () => {
    const state = given(...begin(run(1, 400)), away, live(401, 700));
    expect(seqs(state.messages)).toEqual(seqs(run(1, WINDOW)));
    expect(state.tail.at(-1)?.seq).toBe(700);
    expect(isAtHead(state)).toBe(false);
  });

  test("meets the tail again, message by message", () => {
    const state = given(
      ...begin(run(1, 400)),
      away,
      live(401, 700),
      { type: "page", where: "newer", messages: run(501, 600) },
      { type: "page", where: "newer", messages: run(601, 640) },
    );
    expect(isAtHead(state)).toBe(true);
    expect(seqs(state.messages)).toEqual(seqs(run(201, 700)));
  });

  test("jumps to the newest messages without asking the server", () => {
    const state = given(...begin(run(1, 400)), away, live(401, 700), { type: "latest" });
    expect(seqs(state.messages)).toEqual(seqs(run(601, 700)));
    expect(state).toMatchObject({ following: true, tail: [] });
  });

  test("of a room of which all is gone begins with what comes, and has nothing older to wait for", () => {
    expect(given(...begin([], { head: 5 })).atStart).toBe(true);
    const state = given(...begin([], { head: 5 }), live(6, 7), { type: "page", where: "older", messages: [] });
    expect([seqs(state.messages), state.atStart]).toEqual([[6, 7], true]);
  });

  test("takes older pages in front, up to the start", () => {
    const state = given(
      ...begin(run(51, 100)),
      { type: "page", where: "older", messages: run(21, 50) },
      { type: "page", where: "older", messages: run(1, 20) },
    );
    expect(seqs(state.messages)).toEqual(seqs(run(1, 100)));
    expect(state.atStart).toBe(true);
  });

  test("refuses a page that would leave a hole", () => {
    const state = given(...begin(run(51, 100)), { type: "page", where: "older", messages: run(1, 40) });
    expect(seqs(state.messages)).toEqual(seqs(run(51, 100)));
  });

  test("moves to a message far away, and back", () => {
    const far = given(...begin(run(951, 1000)), { type: "page", where: "around", messages: run(81, 130) });
    expect(seqs(far.messages)).toEqual(seqs(run(81, 130)));
    expect(isAtHead(far)).toBe(false);
    expect(seqs(reduce(far, { type: "latest" }).messages)).toEqual(seqs(run(951, 1000)));
  });

  test("a page that is ahead of the connection: what that tells afterwards is there once", () => {
    const state = given(
      ...begin(run(951, 1000)),
      away,
      { type: "page", where: "around", messages: run(965, 1010) },
      live(1001, 1012),
    );
    expect(seqs(state.messages)).toEqual(seqs(run(965, 1012)));
    expect(state.head).toBe(1012);
  });

  test("a page that comes after another one does not claim the beginning of the room", () => {
    const state = given(
      ...begin(run(951, 1000)),
      { type: "page", where: "around", messages: run(76, 125) },
      { type: "page", where: "older", messages: run(901, 950) },
    );
    expect(seqs(state.messages)).toEqual(seqs(run(76, 125)));
    expect(state.atStart).toBe(false);
  });

  test("is always without a hole, bounded, and at the head exactly when it holds the newest message", () => {
    const events = fc.array(
      fc.oneof(
        // The connection may be behind: a page of HTTP knows of them already.
        fc.record({ type: fc.constant("said" as const), count: fc.integer({ min: 1, max: 100 }) }),
        fc.record({ type: fc.constant("live" as const), count: fc.integer({ min: 1, max: 300 }) }),
        fc.record({ type: fc.constant("following" as const), following: fc.boolean() }),
        fc.record({ type: fc.constant("older" as const), count: fc.integer({ min: 1, max: 200 }) }),
        fc.record({ type: fc.constant("newer" as const), count: fc.integer({ min: 1, max: 200 }) }),
        fc.record({ type: fc.constant("around" as const), seq: fc.integer({ min: 1, max: 2000 }) }),
        fc.constant({ type: "latest" as const }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(events, (script) => {
        let log = 50;
        let head = log;
        let state = given(...begin(run(1, head)));
        for (const step of script) {
          const first = state.messages[0]?.seq ?? 1;
          const last = state.messages.at(-1)?.seq ?? 0;
          switch (step.type) {
            case "said":
              log += step.count;
              break;
            case "live":
              log += step.count;
              state = reduce(state, live(head + 1, log));
              head = log;
              break;
            case "older":
              state = reduce(state, {
                type: "page",
                where: "older",
                messages: run(Math.max(1, first - step.count), first - 1),
              });
              break;
            case "newer":
              state = reduce(state, {
                type: "page",
                where: "newer",
                messages: run(last + 1, Math.min(log, last + step.count)),
              });
              break;
            case "around": {
              const middle = Math.min(step.seq, log);
              state = reduce(state, {
                type: "page",
                where: "around",
                messages: run(Math.max(1, middle - 25), Math.min(log, middle + 25)),
              });
              break;
            }
            default:
              state = reduce(state, step);
          }
          const window = seqs(state.messages);
          expect(window).toEqual(seqs(run(window[0] ?? 1, window.at(-1) ?? 0)));
          expect(window.length).toBeLessThanOrEqual(WINDOW);
          expect(state.head).toBe(head);
          const newest = Math.max(head, state.tail.at(-1)?.seq ?? 0);
          expect(isAtHead(state)).toBe((window.at(-1) ?? 0) >= newest);
          expect(state.atStart).toBe(window[0] === 1);
          expect(state.tail.at(-1)?.seq ?? head).toBeGreaterThanOrEqual(head);
          expect(seqs(state.tail)).toEqual(seqs(run(state.tail[0]?.seq ?? 1, state.tail.at(-1)?.seq ?? 0)));
        }
      }),
    );
  });
});

describe("what is quoted from beyond the window", () => {
  const deletion = (seq: number, target: number): Message => ({
    ...message(seq),
    kind: "deletion",
    content: "",
    target,
  });

  test("is there, and deleted when it is, before or after it was read", () => {
    const state = given(...begin(run(51, 100)), { type: "quoted", message: message(7) });
    expect(quotedAt(state, 7)).toEqual(message(7));
    expect(messageAt(state, 7)).toBeUndefined();
    const event: RoomEvent = { type: "messages", messages: [deletion(101, 7)], history: false };
    expect(quotedAt(reduce(state, event), 7)).toMatchObject({ deleted: true, content: "" });
    const late = given(...begin(run(51, 100)), event, { type: "quoted", message: message(7) });
    expect(quotedAt(late, 7)).toMatchObject({ deleted: true, content: "" });
  });

  test("is forgotten when a connection begins anew: what was deleted meanwhile nobody has told", () => {
    const state = given(...begin(run(51, 100)), { type: "quoted", message: message(7) }, ...begin(run(201, 250)));
    expect(quotedAt(state, 7)).toBeUndefined();
  });

  test("is bounded by what the window can hold", () => {
    const many = run(1, WINDOW + 20).map((message) => ({ type: "quoted" as const, message }));
    const state = given(...begin(run(2001, 2050)), ...many);
    expect(state.quoted).toHaveLength(WINDOW);
    expect(quotedAt(state, WINDOW + 20)).toBeDefined();
  });
});

describe("messages", () => {
  test("a deletion empties its target, wherever that is held", () => {
    const deletion = message(4, { kind: "deletion", target: 2, content: "" });
    const state = given(...begin(run(1, 3)), { type: "messages", messages: [deletion], history: false });
    expect(messageAt(state, 2)).toMatchObject({ content: "", deleted: true });
    expect(messageAt(state, 3)).toMatchObject({ content: "Message 3" });
  });

  test("an erasure leaves nothing of a sender and their agents, wherever that is held, but what comes after it", () => {
    const erasure = message(6, { kind: "erasure", sender: "owner", content: "", erased: "a-b", upTo: 4 });
    const said = [1, 2, 3, 4, 5].map((seq) =>
      message(seq, { sender: seq === 2 ? "a-b/bot" : seq === 3 ? "c-d" : "a-b" }),
    );
    const state = given(...begin(said), { type: "messages", messages: [erasure], history: false });
    expect(state.messages.map(({ sender, content, deleted }) => [sender, content !== "", deleted])).toEqual([
      ["", false, true],
      ["", false, true],
      ["c-d", true, undefined],
      ["", false, true],
      ["a-b", true, undefined],
      ["owner", false, undefined],
    ]);
    expect(new Set(state.messages.map(({ id }) => id)).size).toBe(6);
    const deletion = message(3, { kind: "deletion", sender: "a-b", content: "", target: 1 });
    const named = given(...begin([...run(1, 2), deletion, message(4)]), {
      type: "messages",
      messages: [message(5, { kind: "erasure", sender: "owner", content: "", erased: "a-b", upTo: 4 })],
      history: false,
    });
    expect(messageAt(named, 3)).toMatchObject({ kind: "deletion", sender: "", target: 1 });
    const page = given(...begin(run(51, 60)), {
      type: "messages",
      messages: [message(61, { kind: "erasure", sender: "owner", content: "", erased: "a-b", upTo: 60 })],
      history: false,
    });
    const older = run(41, 50).map((message) => ({ ...message, sender: "a-b" }));
    const after = reduce(page, { type: "page", where: "older", messages: older });
    expect(after.messages.slice(0, 10).every(({ sender, deleted }) => sender === "" && deleted)).toBe(true);
  });

  test.each(["older", "around", "newer"] as const)("a page of before a deletion (%s) brings nothing back", (where) => {
    const deletion = (seq: number, target: number) => message(seq, { kind: "deletion", target, content: "" });
    const told = (...messages: Message[]): RoomEvent => ({ type: "messages", messages, history: false });
    const state = {
      older: () =>
        given(...begin(run(51, 100)), told(deletion(101, 30)), { type: "page", where, messages: run(21, 50) }),
      around: () =>
        given(...begin(run(951, 1000)), told(deletion(1001, 30)), { type: "page", where, messages: run(5, 54) }),
      newer: () =>
        given(
          ...begin(run(951, 1000)),
          { type: "page", where: "around", messages: run(1, 25) },
          told(deletion(1001, 30)),
          { type: "page", where, messages: run(26, 75) },
        ),
    }[where]();
    expect(messageAt(state, 30)).toMatchObject({ content: "", deleted: true });
    expect(messageAt(state, 31)).toMatchObject({ content: "Message 31" });
  });

  test("a draft keeps what it answers, whichever piece says it", () => {
    const piece = { id: "a", sender: "swift-otter", append: "x" };
    for (const drafts of [
      [{ ...piece, replyTo: 2 }, piece],
      [piece, { ...piece, replyTo: 2 }],
    ]) {
      expect(reduce(EMPTY_ROOM, { type: "drafts", drafts }).drafts).toEqual([
        { id: "a", sender: "swift-otter", content: "xx", replyTo: 2 },
      ]);
    }
  });

  test("a draft grows, and ends with its message or by itself", () => {
    const draft = (id: string, append: string) => ({ id, sender: "swift-otter", append });
    const writing = given(
      ...begin([]),
      { type: "drafts", drafts: [draft("a", "Once "), draft("b", "")] },
      { type: "drafts", drafts: [draft("a", "upon")] },
    );
    expect(writing.drafts).toEqual([
      { id: "a", sender: "swift-otter", content: "Once upon" },
      { id: "b", sender: "swift-otter", content: "" },
    ]);
    const said = reduce(writing, { type: "messages", messages: [message(1, { id: "a" })], history: false });
    expect(said.drafts.map(({ id }) => id)).toEqual(["b"]);
    const ended = reduce(said, { type: "drafts", drafts: [{ id: "b", sender: "swift-otter", end: true }] });
    expect(ended.drafts).toEqual([]);
  });

  test("an empty room begins at its start; a resumed one keeps what it has", () => {
    expect(given(...begin([])).atStart).toBe(true);
    const resumed = given(...begin(run(1, 5)), { type: "welcome", welcome: welcome([], { head: 5 }), resumed: true });
    expect(resumed.messages).toHaveLength(5);
  });
});

test("presence adds and removes", () => {
  const state = given(
    ...begin([], { presence: { people: ["a", "b"], spectators: 1 } }),
    { type: "presence", change: { joined: ["c"], left: ["a"], spectators: 4 } },
    { type: "presence", change: { joined: ["b"] } },
  );
  expect(state).toMatchObject({ people: ["b", "c"], spectators: 4 });
});

test("how agents hear is known by each change, and by nothing that is older", () => {
  const agents = { "a/b": "wakes", "c/d": "polls" } as const;
  const before = given(...begin([], { presence: { people: ["a/b"], spectators: 0, agents } }));
  expect(before.agents).toEqual(agents);
  const change = { "a/b": null, "e/f": "live" } as const;
  const after = reduce(before, { type: "presence", change: { agents: change } });
  expect([after.people, after.agents]).toEqual([["a/b"], { "c/d": "polls", "e/f": "live" }]);
  // An older room, or one in which there is nothing to say, says nothing.
  const presence = { people: ["a/b"], spectators: 0 };
  expect(reduce(after, { type: "snapshot", snapshot: { presence } }).agents).toBeUndefined();
  const resumed: ViewEvent = { type: "welcome", welcome: welcome([], { presence }), resumed: true };
  expect(reduce(after, resumed).agents).toBeUndefined();
});

test("that agents do not hear what one has said is known until one says something else", () => {
  const unheard = { type: "unheard", id: "a", seq: 1, agents: ["a/b"], message: "Not here." } as const;
  const say = (seq: number, sender: string): ViewEvent => {
    return { type: "messages", messages: [message(seq, { sender })], history: false };
  };
  const told = given(...begin([]), you(), say(1, "swift-otter"), unheard, say(2, "amber-fox"));
  expect(told.unheard).toEqual(unheard);
  expect(reduce(told, say(3, "swift-otter")).unheard).toBeUndefined();
});

test("a snapshot replaces what it holds, and nothing else", () => {
  const before = given(...begin([], { presence: { people: ["a", "b"], spectators: 1 } }), {
    type: "drafts",
    drafts: [{ id: "d", sender: "a", append: "Once" }],
  });
  const presence = { people: ["b", "c"], spectators: 5 };
  const after = reduce(before, { type: "snapshot", snapshot: { presence } });
  expect(after).toEqual({ ...before, ...presence });
  const drafts = [{ id: "e", sender: "b", append: "Upon" }];
  expect(reduce(after, { type: "snapshot", snapshot: { drafts } })).toEqual({
    ...after,
    drafts: [{ id: "e", sender: "b", content: "Upon" }],
  });
});
