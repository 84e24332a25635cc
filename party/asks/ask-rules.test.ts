/** Who may ask and answer, and how many asks may be open. */

import { describe, expect, it } from "vitest";
import { answerKind, type StoredKind } from "../log/stored-message.ts";
import type { RoomRecord } from "../room-record.ts";
import { type AskTerms, askContent, type OpenAsk } from "./ask.ts";
import { type AskRulesDeps, AskTurn, MOST_OPEN } from "./ask-rules.ts";

const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const HOUR = 3_600_000;
const OPTIONS = ["yes", "no"].map((id) => ({ id, label: id }));

const open = (seq: number, more: Partial<OpenAsk> = {}): OpenAsk => ({
  ...{ seq, sender: "anna/bot", until: NOW + HOUR, options: OPTIONS, from: "people" },
  ...more,
});

function turn(asks: readonly OpenAsk[] = [], deps: Partial<AskRulesDeps> = {}): AskTurn {
  return new AskTurn({
    now: () => NOW,
    record: () => ({ access: "open" }) as RoomRecord,
    named: (sender) => ({ sender, role: undefined }),
    open: () => new Map(asks.map((ask) => [ask.seq, ask])),
    ...deps,
  });
}

const entry = (kind: StoredKind, sender: string, ref: number | null, content = "") => ({
  message: { id: "a", kind, sender, content, ref },
});
const answer = (sender: string, target = 1, option = "yes") => entry(answerKind(option), sender, target);
const ask = (sender: string, terms: Partial<AskTerms> = {}) =>
  entry("ask", sender, null, askContent("Go?", { options: OPTIONS, from: "people", ...terms }));

describe("an answer", () => {
  it.each([
    ["anna", undefined],
    ["bob", undefined],
    ["anna@acme", undefined],
    ["bob/claude", "forbidden"],
    ["anna/bot", "forbidden"],
    ["~brisk-lynx-4f2a9c", "forbidden"],
  ])("of people by %s: %s", (sender, code) => {
    expect(turn([open(1)]).refuse(answer(sender))?.fault).toBe(code);
  });

  it.each([
    ["bob", undefined],
    ["~brisk-lynx-4f2a9c", undefined],
    ["anna", "forbidden"],
    ["bob/claude", "forbidden"],
  ])("of certain senders by %s: %s", (sender, code) => {
    const from = ["bob", "~brisk-lynx-4f2a9c"];
    expect(turn([open(1, { from })]).refuse(answer(sender))?.fault).toBe(code);
  });

  it("of a guest counts where guests may", () => {
    expect(turn([open(1, { guests: true })]).refuse(answer("~brisk-lynx-4f2a9c"))).toBeUndefined();
  });

  it("is the first one in its turn, and after a deletion or the end of its time none is", () => {
    for (const first of [answer("bob"), entry("deletion", "anna", 1), entry("expiry", "anna/bot", 1)]) {
      const one = turn([open(1), open(2)]);
      expect(one.refuse(first)).toBeUndefined();
      one.pass(first);
      expect(one.refuse(answer("cleo"))?.fault).toBe("conflict");
      expect(one.refuse(entry("expiry", "anna/bot", 1))?.fault).toBe("conflict");
      expect(one.refuse(answer("cleo", 2))).toBeUndefined();
    }
  });

  it("counts up to the moment at which its time is over", () => {
    expect(turn([open(1, { until: NOW + 1 })]).refuse(answer("bob"))).toBeUndefined();
    expect(turn([open(1, { until: NOW })]).refuse(answer("bob"))?.fault).toBe("conflict");
  });

  it("names one of the options", () => {
    expect(turn([open(1)]).refuse(answer("bob", 1, "maybe"))?.fault).toBe("invalid");
  });
});

describe("an ask", () => {
  const at = (ms: number) => new Date(NOW + ms).toISOString();

  it("ends within 30 days, and not before it has begun", () => {
    for (const [until, code] of [
      [at(1), undefined],
      [at(30 * 24 * HOUR), undefined],
      [at(0), "invalid"],
      [at(30 * 24 * HOUR + 1), "invalid"],
    ] as const) {
      expect([until, turn().refuse(ask("anna/bot", { until }))?.fault]).toEqual([until, code]);
    }
    expect(turn().refuse({ ...ask("anna/bot", { until: at(-1) }), approved: true })?.fault).toBe("conflict");
  });

  it("does not name who asks, but may name the person whose agent asks", () => {
    expect(turn().refuse(ask("anna", { from: ["bob", "anna"] }))?.fault).toBe("invalid");
    expect(turn().refuse(ask("anna/bot", { from: ["anna"] }))).toBeUndefined();
  });

  it("names those who can read a members' room", () => {
    const deps: Partial<AskRulesDeps> = {
      record: () => ({ access: "members" }) as RoomRecord,
      named: (sender) => ({ sender, role: sender === "bob" ? "reader" : undefined }),
    };
    expect(turn([], deps).refuse(ask("anna/bot", { from: ["bob", "cleo@acme"] }))).toBeUndefined();
    expect(turn([], deps).refuse(ask("anna/bot", { from: ["bob", "eve"] }))?.fault).toBe("invalid");
  });

  it("is one of so many of a person with their agents and in a room, those of the same turn among them", () => {
    const own = Array.from({ length: MOST_OPEN.person - 1 }, (_, index) => open(index + 1));
    const one = turn(own);
    expect(one.refuse(ask("anna/bot"))).toBeUndefined();
    one.pass(ask("anna/bot"));
    expect(one.refuse(ask("anna/bot"))?.fault).toBe("rate_limited");
    expect(one.refuse(ask("anna/other"))?.fault).toBe("rate_limited");
    expect(one.refuse(ask("anna"))?.fault).toBe("rate_limited");
    expect(one.refuse(ask("anna@acme"))).toBeUndefined();
    one.pass(answer("bob", 1));
    expect(one.refuse(ask("anna/bot"))).toBeUndefined();
    const many = Array.from({ length: MOST_OPEN.room }, (_, index) => open(index + 1, { sender: `s-${index}` }));
    expect(turn(many).refuse(ask("anna/bot"))?.fault).toBe("rate_limited");
  });
});
