import { describe, expect, it } from "vitest";
import type { Message } from "../../party/protocol.ts";
import {
  checkHistory,
  describeViolations,
  type History,
  RULES,
  type Rule,
  type Send,
  type Stream,
} from "../chaos/history.ts";

const EPOCH = "epoch-one";

function message(seq: number, sender: string, id: string, change: Partial<Message> = {}): Message {
  const createdAt = new Date(1_800_000_000_000 + seq).toISOString();
  return { seq, id, kind: "text", sender, content: `${sender} says ${id}`, createdAt, ...change };
}

function send(sender: string, id: string, invoked: number, change: Partial<Send> = {}): Send {
  return {
    client: sender,
    sender,
    id,
    content: `${sender} says ${id}`,
    invoked,
    attempts: 1,
    refusals: 0,
    acks: [],
    ...change,
  };
}

const stream = (after: number, messages: Message[], change: Partial<Stream> = {}): Stream => {
  return { subscriber: "watcher", epoch: EPOCH, after, messages, live: false, ...change };
};

/**
 * A good history with all that may happen in one: two clients, one message on its way twice, one of which nobody knows
 * what became of (it arrived), another (it did not), and one that was refused.
 */
function good(): History {
  const log = [message(1, "ann", "a1"), message(2, "bob", "b1"), message(3, "ann", "a2"), message(4, "bob", "b2")];
  return {
    epoch: EPOCH,
    log,
    archive: [...log],
    sends: [
      send("ann", "a1", 10, { acks: [{ seq: 1, at: 20 }] }),
      send("ann", "a2", 30, {
        attempts: 2,
        acks: [
          { seq: 3, at: 60 },
          { seq: 3, at: 70 },
        ],
      }),
      send("ann", "a3", 90),
      send("ann", "a4", 95, { refusals: 1 }),
      send("bob", "b1", 25, { acks: [{ seq: 2, at: 40 }] }),
      send("bob", "b2", 65),
    ],
    streams: [stream(0, log.slice(), { live: true }), stream(1, log.slice(1, 3)), stream(4, [], { live: true })],
    reads: [
      { reader: "reader", started: 15, head: 0 },
      { reader: "reader", started: 45, head: 2 },
      { reader: "reader", started: 100, head: 4 },
    ],
  };
}

/** A good history with one thing wrong, and the rules that it breaks. */
interface BadHistory {
  what: string;
  breaks: Rule[];
  spoil(history: History): Partial<History>;
}

const BAD_HISTORIES: BadHistory[] = [
  {
    what: "a seq is missing",
    breaks: ["gapless"],
    spoil: ({ log }) => moved(log.map((entry) => (entry.seq === 4 ? { ...entry, seq: 5 } : entry))),
  },
  {
    what: "a seq is given twice",
    breaks: ["gapless", "realTime"],
    spoil: ({ log }) => moved(log.map((entry) => (entry.seq === 4 ? { ...entry, seq: 3 } : entry))),
  },
  {
    what: "the log is out of order",
    breaks: ["gapless", "clock"],
    spoil: ({ log }) => moved([log[0]!, log[1]!, log[3]!, log[2]!]),
  },
  {
    what: "the clock goes back",
    breaks: ["clock"],
    spoil: ({ log }) =>
      moved(log.map((entry) => (entry.seq === 2 ? { ...entry, createdAt: "2020-01-01T00:00:00.000Z" } : entry))),
  },
  {
    what: "a retry is stored a second time",
    breaks: ["once"],
    spoil: ({ log }) => moved([...log, message(5, "ann", "a2")]),
  },
  {
    what: "an unknown message is stored twice",
    breaks: ["once"],
    spoil: ({ log }) => moved([...log, message(5, "bob", "b2")]),
  },
  {
    what: "a message that nobody sent",
    breaks: ["invented"],
    spoil: ({ log }) => moved([...log, message(5, "eve", "e1")]),
  },
  {
    what: "a message under another's name",
    breaks: ["invented"],
    spoil: ({ log }) => moved(log.map((entry) => (entry.seq === 4 ? { ...entry, sender: "ann" } : entry))),
  },
  {
    what: "another content than was sent",
    breaks: ["invented"],
    spoil: ({ log }) => moved(log.map((entry) => (entry.seq === 1 ? { ...entry, content: "something else" } : entry))),
  },
  {
    what: "an acknowledged message is lost",
    breaks: ["kept"],
    spoil: ({ log, sends }) => {
      return { ...moved(log.slice(0, 3)), sends: changed(sends, "b2", { acks: [{ seq: 4, at: 80 }] }) };
    },
  },
  {
    what: "an acknowledged message has moved",
    breaks: ["kept", "realTime"],
    spoil: ({ sends }) => ({ sends: changed(sends, "a1", { acks: [{ seq: 4, at: 20 }] }), reads: [] }),
  },
  {
    what: "a retry is acknowledged with another seq",
    breaks: ["kept"],
    spoil: ({ sends }) => ({
      sends: changed(sends, "a2", {
        acks: [
          { seq: 3, at: 60 },
          { seq: 5, at: 110 },
        ],
      }),
    }),
  },
  {
    what: "a refused message is stored",
    breaks: ["refused"],
    spoil: ({ log }) => moved([...log, message(5, "ann", "a4")]),
  },
  {
    what: "a message is placed before one that was acknowledged before it was sent",
    breaks: ["realTime"],
    spoil: ({ sends }) => ({ sends: changed(sends, "b1", { invoked: 61, acks: [{ seq: 2, at: 64 }] }) }),
  },
  {
    what: "an unknown message is placed before one that was acknowledged before it was sent",
    breaks: ["realTime"],
    spoil: ({ sends }) => ({ sends: changed(sends, "b1", { invoked: 61, acks: [] }) }),
  },
  {
    what: "two messages of one client have changed places",
    breaks: ["senderOrder"],
    spoil: ({ sends }) => {
      const both = { invoked: 25, acks: [] };
      const reversed = [
        ...sends.filter(({ client }) => client === "ann"),
        send("bob", "b2", 25),
        send("bob", "b1", 25),
      ];
      return { sends: changed(reversed, "b1", both) };
    },
  },
  {
    what: "a stream has a hole",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(0, [log[0]!, log[1]!, log[3]!])] }),
  },
  {
    what: "a stream repeats a message after a resume",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(0, [log[0]!, log[1]!, log[1]!, log[2]!])] }),
  },
  {
    what: "a stream begins one too late",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(1, log.slice(2))] }),
  },
  {
    what: "a stream has two messages the other way round",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(0, [log[1]!, log[0]!])] }),
  },
  {
    what: "a stream has another content than the log",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(0, [{ ...log[0]!, content: "before the commit" }])] }),
  },
  {
    what: "a stream has a message that the log lost",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(4, [message(5, "ann", "a3")])], log }),
  },
  {
    what: "a connected stream has stopped",
    breaks: ["slice"],
    spoil: ({ log }) => ({ streams: [stream(0, log.slice(0, 3), { live: true })] }),
  },
  {
    what: "a stream goes on over a change of epoch",
    breaks: ["epoch"],
    spoil: ({ log }) => ({ streams: [stream(0, log.slice(0, 2), { epoch: "epoch-zero" })] }),
  },
  {
    what: "a read does not show what was acknowledged before it",
    breaks: ["reads"],
    spoil: () => ({ reads: [{ reader: "reader", started: 41, head: 1 }] }),
  },
  {
    what: "D1 misses a message in the middle",
    breaks: ["archive"],
    spoil: ({ log }) => ({ archive: log.filter(({ seq }) => seq !== 2) }),
  },
  {
    what: "D1 misses the last message",
    breaks: ["archive"],
    spoil: ({ log }) => ({ archive: log.slice(0, 3) }),
  },
  {
    what: "D1 has a message more",
    breaks: ["archive"],
    spoil: ({ log }) => ({ archive: [...log, message(5, "ann", "a3")] }),
  },
  {
    what: "D1 has another content",
    breaks: ["archive"],
    spoil: ({ log }) => ({ archive: log.map((entry) => (entry.seq === 3 ? { ...entry, content: "other" } : entry)) }),
  },
];

/** A log that clients and D1 agree on: what is wrong with it is in the log itself. */
function moved(log: Message[]): Partial<History> {
  return { log, archive: log, streams: [] };
}

function changed(sends: readonly Send[], id: string, change: Partial<Send>): Send[] {
  return sends.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
}

const brokenRules = (history: History) => [...new Set(checkHistory(history).map(({ rule }) => rule))].sort();

describe("the history checker", () => {
  it("finds nothing wrong with a good history", () => {
    expect(checkHistory(good())).toEqual([]);
  });

  it("finds nothing wrong with a room in which nothing was said", () => {
    const empty = {
      epoch: EPOCH,
      log: [],
      archive: [],
      sends: [],
      streams: [stream(0, [], { live: true })],
      reads: [],
    };
    expect(checkHistory(empty)).toEqual([]);
  });

  it("lets messages that were under way at the same time stand in either order", () => {
    const history = good();
    const sends = changed(changed(history.sends, "a2", { invoked: 24 }), "b1", { invoked: 24 });
    expect(checkHistory({ ...history, sends })).toEqual([]);
  });

  it("takes an acknowledgement at the very moment of another's sending as no proof of order", () => {
    const history = good();
    const sends = changed(history.sends, "b1", { invoked: 60, acks: [{ seq: 2, at: 64 }] });
    expect(checkHistory({ ...history, sends, reads: [] })).toEqual([]);
  });

  it("lets a refused message that was sent again come later than its successors", () => {
    const history = good();
    const late = send("ann", "a0", 5, { attempts: 2, refusals: 1, acks: [{ seq: 5, at: 120 }] });
    const log = [...history.log, message(5, "ann", "a0")];
    expect(checkHistory({ ...history, ...moved(log), sends: [late, ...history.sends] })).toEqual([]);
  });

  it("lets a message arrive whose retry was refused after a first attempt without an answer", () => {
    const history = good();
    const sends = changed(history.sends, "b2", { attempts: 2, refusals: 1 });
    expect(checkHistory({ ...history, sends })).toEqual([]);
  });

  it.each(BAD_HISTORIES)("notices when $what, and blames nothing else", ({ breaks, spoil }) => {
    const history = good();
    expect(brokenRules({ ...history, ...spoil(history) })).toEqual(breaks.toSorted());
  });

  it("has a bad history for every rule", () => {
    const covered = new Set(BAD_HISTORIES.flatMap(({ breaks }) => breaks));
    expect([...covered].sort()).toEqual(Object.keys(RULES).sort());
  });

  it("describes what it found by rule, with the first cases", () => {
    const history = good();
    const text = describeViolations(checkHistory({ ...history, archive: [] }));
    expect(text).toContain("archive, 4×: not kept that D1 has the same messages as the room");
    expect(text).toContain('place 1: the room has seq 1 (ann a1 "ann says a1"), D1 has nothing');
  });
});
