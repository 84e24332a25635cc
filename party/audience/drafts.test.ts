import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DraftChange, LIMITS } from "../protocol.ts";
import { DRAFT_INTERVAL, DRAFT_TIMEOUT, Drafts } from "./drafts.ts";

const NOON = 1_800_000_000_000;

it("tells of a draft at once, and then at most twenty times a second however fast it grows", () => {
  const drafts = new Drafts();
  const told: string[] = [];
  for (let ms = 0; ms < 1_000; ms++) {
    drafts.append("a-b", "d", ".", NOON + ms);
    for (const change of drafts.takeChanges(NOON + ms)) told.push("append" in change ? change.append : "");
    if (ms === 0) expect(told).toEqual(["."]);
  }
  expect(told.length).toBe(1_000 / DRAFT_INTERVAL);
  expect(told.join("").length).toBeGreaterThan(1_000 - DRAFT_INTERVAL);
});

it("says when it may be asked again, and nothing before", () => {
  const drafts = new Drafts();
  expect(drafts.dueAt()).toBeUndefined();
  drafts.append("a-b", "d", "one", NOON);
  drafts.takeChanges(NOON);
  drafts.append("a-b", "d", " two", NOON + 1);
  expect(drafts.dueAt()).toBe(NOON + DRAFT_INTERVAL);
  expect(drafts.takeChanges(NOON + DRAFT_INTERVAL - 1)).toEqual([]);
  expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([{ id: "d", sender: "a-b", append: " two" }]);
  expect(drafts.dueAt()).toBeUndefined();
});

it("does not tell of one any earlier because another has ended meanwhile", () => {
  const drafts = new Drafts();
  drafts.append("a-b", "d", "one", NOON);
  drafts.append("c-d", "e", "two", NOON);
  drafts.takeChanges(NOON);
  drafts.append("a-b", "d", " three", NOON + 1);
  drafts.end("c-d", "e");
  expect(drafts.takeChanges(NOON + 1)).toEqual([{ id: "e", sender: "c-d", end: true }]);
  expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([{ id: "d", sender: "a-b", append: " three" }]);
});

it("tells of one that says nothing yet: somebody is writing; and not again of the same", () => {
  const drafts = new Drafts();
  drafts.append("a-b", "d", "", NOON);
  expect(drafts.takeChanges(NOON)).toEqual([{ id: "d", sender: "a-b", append: "" }]);
  drafts.append("a-b", "d", "", NOON + 1_000);
  expect(drafts.takeChanges(NOON + 2_000)).toEqual([]);
});

it("tells a late joiner what the others have, so that the next piece makes it whole for all", () => {
  const drafts = new Drafts();
  drafts.append("a-b", "d", "one", NOON);
  drafts.takeChanges(NOON);
  drafts.append("a-b", "d", " two", NOON + 1);
  drafts.append("c-d", "e", "unheard of", NOON + 1);
  expect(drafts.told()).toEqual([{ id: "d", sender: "a-b", append: "one" }]);
});

describe("a draft ends", () => {
  it("without a word when the message comes that replaces it", () => {
    const drafts = new Drafts();
    drafts.append("a-b", "d", "one", NOON);
    drafts.takeChanges(NOON);
    drafts.replace("a-b", "d");
    expect(drafts.told()).toEqual([]);
    expect(drafts.takeChanges(NOON + 1_000)).toEqual([]);
    expect(drafts.nextExpiry()).toBeUndefined();
  });

  it("with its author, all of them, and nobody else's", () => {
    const drafts = new Drafts();
    drafts.append("a-b", "d", "one", NOON);
    drafts.append("a-b", "e", "two", NOON);
    drafts.append("a-b/c", "d", "three", NOON);
    drafts.takeChanges(NOON);
    drafts.endAll("a-b");
    expect(drafts.takeChanges(NOON)).toEqual([
      { id: "d", sender: "a-b", end: true },
      { id: "e", sender: "a-b", end: true },
    ]);
    expect(drafts.told()).toEqual([{ id: "d", sender: "a-b/c", append: "three" }]);
  });

  it("when nothing has come for a while, and not before", () => {
    const drafts = new Drafts();
    drafts.append("a-b", "d", "one", NOON);
    drafts.append("c-d", "e", "two", NOON + 1);
    drafts.takeChanges(NOON + 1);
    drafts.append("a-b", "d", "", NOON + 10);
    expect(drafts.nextExpiry()).toBe(NOON + 1 + DRAFT_TIMEOUT);
    drafts.expire(NOON + DRAFT_TIMEOUT);
    expect(drafts.told()).toHaveLength(2);
    drafts.expire(NOON + 1 + DRAFT_TIMEOUT);
    expect(drafts.dueAt()).toBe(0);
    expect(drafts.takeChanges(NOON + 1 + DRAFT_TIMEOUT)).toEqual([{ id: "e", sender: "c-d", end: true }]);
    expect(drafts.nextExpiry()).toBe(NOON + 10 + DRAFT_TIMEOUT);
  });

  it("when it is longer than a message may be, with an error to its author", () => {
    const drafts = new Drafts();
    expect(drafts.append("a-b", "d", "ä".repeat(LIMITS.contentBytes / 2), NOON)).toBeUndefined();
    drafts.takeChanges(NOON);
    expect(drafts.append("a-b", "d", "x", NOON)).toMatchObject({ fault: "too_large" });
    expect(drafts.takeChanges(NOON)).toEqual([{ id: "d", sender: "a-b", end: true }]);
  });

  it("when its author goes on with it over another connection: they say the whole of it", () => {
    const drafts = new Drafts();
    const [one, two] = [{}, {}];
    drafts.append("a-b", "d", "Once ", NOON, one);
    drafts.takeChanges(NOON);
    expect([drafts.isEmpty("a-b", "d", one), drafts.isEmpty("a-b", "d", two)]).toEqual([false, true]);
    drafts.append("a-b", "d", "Once ", NOON + 1, two);
    drafts.append("a-b", "d", "upon", NOON + 2, two);
    expect(drafts.takeChanges(NOON + DRAFT_INTERVAL)).toEqual([
      { id: "d", sender: "a-b", end: true },
      { id: "d", sender: "a-b", append: "Once upon" },
    ]);
  });

  it("unheard of when nobody had heard of it", () => {
    const drafts = new Drafts();
    drafts.append("a-b", "d", "one", NOON);
    drafts.end("a-b", "d");
    expect(drafts.takeChanges(NOON)).toEqual([]);
  });
});

describe("one author hurts only themselves (promise 9)", () => {
  it("with four drafts at a time, and room for the next when one ends", () => {
    const drafts = new Drafts();
    for (const id of ["1", "2", "3", "4"]) expect(drafts.append("a-b", id, "", NOON)).toBeUndefined();
    expect(drafts.append("a-b", "5", "", NOON)).toMatchObject({ fault: "rate_limited" });
    expect(drafts.append("a-b", "4", "more", NOON)).toBeUndefined();
    expect(drafts.append("c-d", "1", "", NOON)).toBeUndefined();
    drafts.replace("a-b", "1");
    expect(drafts.append("a-b", "5", "", NOON)).toBeUndefined();
  });

  it("and a room holds two hundred, whoever they are of", () => {
    const drafts = new Drafts();
    for (let author = 0; author < 200; author++) {
      expect(drafts.append(`a-${author}`, "d", "", NOON)).toBeUndefined();
    }
    expect(drafts.append("one-more", "d", "", NOON)).toMatchObject({ fault: "rate_limited" });
  });
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
          drafts.append("a-b", id, each.append, now);
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
