import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DraftChange, LIMITS } from "../protocol.ts";
import { type Author, DRAFT_BYTES, DRAFT_INTERVAL, DRAFT_TIMEOUT, Drafts, MOST_DRAFTS } from "./drafts.ts";

const NOON = 1_800_000_000_000;

const CONNECTION = {};
/** An author with a Limiter of their own. */
const author = (sender: string, connection: object = CONNECTION, principal = `key:${sender}`): Author => {
  return { sender, principal, connection };
};

it("tells of a draft at once, and then at most twenty times a second however fast it grows", () => {
  const drafts = new Drafts();
  const told: string[] = [];
  for (let ms = 0; ms < 1_000; ms++) {
    drafts.append(author("a-b"), "d", ".", NOON + ms);
    for (const change of drafts.takeChanges(NOON + ms)) told.push("append" in change ? change.append : "");
    if (ms === 0) expect(told).toEqual(["."]);
  }
  expect(told.length).toBe(1_000 / DRAFT_INTERVAL);
  expect(told.join("").length).toBeGreaterThan(1_000 - DRAFT_INTERVAL);
});

it("says when it may be asked again, and nothing before", () => {
  const drafts = new Drafts();
  expect(drafts.dueAt()).toBeUndefined();
  drafts.append(author("a-b"), "d", "one", NOON);
  drafts.takeChanges(NOON);
  drafts.append(author("a-b"), "d", " two", NOON + 1);
  expect(drafts.dueAt()).toBe(NOON + DRAFT_INTERVAL);
  expect(drafts.takeChanges(NOON + DRAFT_INTERVAL - 1)).toEqual([]);
  expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([{ id: "d", sender: "a-b", append: " two" }]);
  expect(drafts.dueAt()).toBeUndefined();
});

it("does not tell of one any earlier because another has ended meanwhile", () => {
  const drafts = new Drafts();
  drafts.append(author("a-b"), "d", "one", NOON);
  drafts.append(author("c-d"), "e", "two", NOON);
  drafts.takeChanges(NOON);
  drafts.append(author("a-b"), "d", " three", NOON + 1);
  drafts.end("c-d", "e");
  expect(drafts.takeChanges(NOON + 1)).toEqual([{ id: "e", sender: "c-d", end: true }]);
  expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([{ id: "d", sender: "a-b", append: " three" }]);
});

it("tells of one that says nothing yet: somebody is writing; and not again of the same", () => {
  const drafts = new Drafts();
  drafts.append(author("a-b"), "d", "", NOON);
  expect(drafts.takeChanges(NOON)).toEqual([{ id: "d", sender: "a-b", append: "" }]);
  drafts.append(author("a-b"), "d", "", NOON + 1_000);
  expect(drafts.takeChanges(NOON + 2_000)).toEqual([]);
});

it("tells a late joiner what the others have, so that the next piece makes it whole for all", () => {
  const drafts = new Drafts();
  drafts.append(author("a-b"), "d", "one", NOON);
  drafts.takeChanges(NOON);
  drafts.append(author("a-b"), "d", " two", NOON + 1);
  drafts.append(author("c-d"), "e", "unheard of", NOON + 1);
  expect(drafts.told()).toEqual([{ id: "d", sender: "a-b", append: "one" }]);
});

describe("a draft ends", () => {
  it("without a word when the message comes that replaces it", () => {
    const drafts = new Drafts();
    drafts.append(author("a-b"), "d", "one", NOON);
    drafts.takeChanges(NOON);
    drafts.replace("a-b", "d");
    expect(drafts.told()).toEqual([]);
    expect(drafts.takeChanges(NOON + 1_000)).toEqual([]);
  });

  it("with its author, all of them, and nobody else's", () => {
    const drafts = new Drafts();
    drafts.append(author("a-b"), "d", "one", NOON);
    drafts.append(author("a-b"), "e", "two", NOON);
    drafts.append(author("a-b/c"), "d", "three", NOON);
    drafts.takeChanges(NOON);
    drafts.endWhere(({ sender }) => sender === "a-b");
    expect(drafts.takeChanges(NOON)).toEqual([
      { id: "d", sender: "a-b", end: true },
      { id: "e", sender: "a-b", end: true },
    ]);
    expect(drafts.told()).toEqual([{ id: "d", sender: "a-b/c", append: "three" }]);
  });

  it("when nothing has come for a while, and not before", () => {
    const drafts = new Drafts();
    drafts.append(author("a-b"), "d", "one", NOON);
    drafts.append(author("c-d"), "e", "two", NOON + 1);
    drafts.takeChanges(NOON + 1);
    drafts.append(author("a-b"), "d", "", NOON + 10);
    drafts.expire(NOON + DRAFT_TIMEOUT);
    expect(drafts.told()).toHaveLength(2);
    drafts.expire(NOON + 1 + DRAFT_TIMEOUT);
    expect(drafts.dueAt()).toBe(0);
    expect(drafts.takeChanges(NOON + 1 + DRAFT_TIMEOUT)).toEqual([{ id: "e", sender: "c-d", end: true }]);
    expect(drafts.told()).toEqual([{ id: "d", sender: "a-b", append: "one" }]);
  });

  it("when it is longer than a message may be, with an error to its author", () => {
    const drafts = new Drafts();
    expect(drafts.append(author("a-b"), "d", "ä".repeat(LIMITS.contentBytes / 2), NOON)).toBeUndefined();
    drafts.takeChanges(NOON);
    expect(drafts.append(author("a-b"), "d", "x", NOON)).toMatchObject({ fault: "too_large" });
    expect(drafts.takeChanges(NOON)).toEqual([{ id: "d", sender: "a-b", end: true }]);
  });

  it("when its author goes on with it over another connection: they say the whole of it", () => {
    const drafts = new Drafts();
    const [one, two] = [{}, {}];
    drafts.append(author("a-b", one), "d", "Once ", NOON);
    drafts.takeChanges(NOON);
    expect([one, two].map((connection) => drafts.isUnderWay(author("a-b", connection), "d"))).toEqual([true, false]);
    drafts.append(author("a-b", two), "d", "Once ", NOON + 1);
    drafts.append(author("a-b", two), "d", "upon", NOON + 2);
    expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([
      { id: "d", sender: "a-b", end: true },
      { id: "d", sender: "a-b", append: "Once upon" },
    ]);
  });

  it("unheard of when nobody had heard of it", () => {
    const drafts = new Drafts();
    drafts.append(author("a-b"), "d", "one", NOON);
    drafts.end("a-b", "d");
    expect(drafts.takeChanges(NOON)).toEqual([]);
  });
});

describe("one author hurts only themselves (promise 9)", () => {
  it("with four drafts at a time, and room for the next when one ends", () => {
    const drafts = new Drafts();
    for (const id of ["1", "2", "3", "4"]) expect(drafts.append(author("a-b"), id, "", NOON)).toBeUndefined();
    expect(drafts.append(author("a-b"), "5", "", NOON)).toMatchObject({ fault: "rate_limited" });
    expect(drafts.append(author("a-b"), "4", "more", NOON)).toBeUndefined();
    expect(drafts.append(author("c-d"), "1", "", NOON)).toBeUndefined();
    drafts.replace("a-b", "1");
    expect(drafts.append(author("a-b"), "5", "", NOON)).toBeUndefined();
  });

  it("with eight at a time for all guests of an address, empty ones too, and others have theirs", () => {
    const drafts = new Drafts();
    const guest = (number: number) => author(`~a-${number}`, {}, "address:192.0.2.1");
    const outcomes = Array.from({ length: 50 }, (_, index) => drafts.append(guest(index), "d", "", NOON)?.fault);
    expect(outcomes.filter((fault) => fault === undefined)).toHaveLength(MOST_DRAFTS.principal);
    expect(outcomes.at(-1)).toBe("rate_limited");
    expect(drafts.append(author("c-d"), "d", "", NOON)).toBeUndefined();
  });

  it("and a room holds two hundred, whoever they are of", () => {
    const drafts = new Drafts();
    for (let index = 0; index < MOST_DRAFTS.room; index++) {
      expect(drafts.append(author(`a-${index}`), "d", "", NOON)).toBeUndefined();
    }
    expect(drafts.append(author("one-more"), "d", "", NOON)).toMatchObject({ fault: "rate_limited" });
  });

  it("and so much text, of one principal and in the room: every newcomer is sent it", () => {
    const drafts = new Drafts();
    const long = "x".repeat(LIMITS.contentBytes);
    const write = (sender: string, principal: string) => {
      return drafts.append(author(sender, {}, principal), "d", long, NOON)?.fault;
    };
    const own = Array.from({ length: 6 }, (_, index) => write(`a-${index}`, "key:1"));
    expect(own).toEqual([
      ...Array(DRAFT_BYTES.principal / long.length).fill(undefined),
      "rate_limited",
      "rate_limited",
    ]);
    const others = Array.from({ length: 20 }, (_, index) => write(`b-${index}`, `key:b${index}`));
    const room = (DRAFT_BYTES.room - DRAFT_BYTES.principal) / long.length;
    expect(others).toEqual([...Array(room).fill(undefined), ...Array(20 - room).fill("rate_limited")]);
  });

  it("and expired ones take no place, although nobody has looked for them", () => {
    const drafts = new Drafts();
    for (const id of ["1", "2", "3", "4"]) drafts.append(author("a-b"), id, "", NOON);
    expect(drafts.append(author("a-b"), "5", "", NOON + DRAFT_TIMEOUT)).toBeUndefined();
  });
});

describe("a draft that the room has forgotten in its sleep", () => {
  it("is told as ended, and begins anew", () => {
    const drafts = new Drafts();
    drafts.lost("a-b", "d");
    expect(drafts.takeChanges(NOON)).toEqual([{ id: "d", sender: "a-b", end: true }]);
    drafts.append(author("a-b"), "d", "Once upon", NOON);
    expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([{ id: "d", sender: "a-b", append: "Once upon" }]);
  });

  it("is known by the connection over which it was begun", () => {
    const drafts = new Drafts();
    const other = {};
    drafts.append(author("a-b"), "d", "", NOON);
    drafts.append(author("a-b"), "e", "one", NOON);
    drafts.append(author("a-b", other), "f", "two", NOON);
    expect([drafts.idsOver(CONNECTION), drafts.idsOver(other)]).toEqual([["d", "e"], ["f"]]);
    drafts.replace("a-b", "d");
    expect(drafts.idsOver(CONNECTION)).toEqual(["e"]);
  });
});

it("has another version whenever a newcomer would be told something else", () => {
  const drafts = new Drafts();
  const seen = new Map<number, string>();
  const steps = [
    () => drafts.append(author("a-b"), "d", "one", NOON),
    () => drafts.takeChanges(NOON),
    () => drafts.append(author("a-b"), "d", " two", NOON + 1),
    () => drafts.takeChanges(NOON + DRAFT_INTERVAL),
    () => drafts.append(author("c-d"), "e", "three", NOON + 100),
    () => drafts.takeChanges(NOON + 200),
    () => drafts.replace("a-b", "d"),
    () => drafts.end("c-d", "e"),
  ];
  for (const step of steps) {
    step();
    const told = JSON.stringify(drafts.told());
    expect(seen.get(drafts.version) ?? told).toBe(told);
    seen.set(drafts.version, told);
  }
  expect(seen.size).toBeGreaterThan(4);
});

it("shows whoever listens, from whenever, the text as its author wrote it", () => {
  const step = fc.oneof(
    fc.record({ append: fc.constantFrom("", "a", "bc"), of: fc.nat(3) }),
    fc.record({ end: fc.nat(3) }),
    fc.record({ wait: fc.nat(80) }),
    fc.constant("listen" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const drafts = new Drafts();
      const written = new Map<string, string>();
      const listeners: Map<string, string>[] = [new Map()];
      let now = NOON;
      const tell = () => {
        const changes = drafts.takeChanges(now);
        for (const listener of listeners) for (const change of changes) hear(listener, change);
      };
      for (const each of steps) {
        if (each === "listen") {
          const listener = new Map<string, string>();
          for (const change of drafts.told()) hear(listener, change);
          listeners.push(listener);
        } else if ("append" in each) {
          const id = `d${each.of}`;
          drafts.append(author("a-b"), id, each.append, now);
          written.set(id, (written.get(id) ?? "") + each.append);
          tell();
        } else if ("end" in each) {
          drafts.end("a-b", `d${each.end}`);
          written.delete(`d${each.end}`);
        } else {
          now += each.wait;
          tell();
        }
      }
      now += DRAFT_INTERVAL;
      tell();
      for (const listener of listeners) expect(Object.fromEntries(listener)).toEqual(Object.fromEntries(written));
    }),
  );
});

function hear(texts: Map<string, string>, change: DraftChange): void {
  if ("end" in change) texts.delete(change.id);
  else texts.set(change.id, (texts.get(change.id) ?? "") + change.append);
}
