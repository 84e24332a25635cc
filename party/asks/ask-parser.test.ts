/** What an ask and an answer may say, in any form that a client may think of. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../test/seed.ts";
import { isFault } from "../protocol.ts";
import { ASK_BOUNDS, parseAnswer, parseAsk, parseSubmission } from "./ask-parser.ts";

describe("an ask", () => {
  it("comes out as the room keeps it", () => {
    const ask = { options: ["yes", { id: "no", label: " Not now " }], from: null, guests: null, until: null, more: 1 };
    expect(parseAsk(ask)).toEqual({
      options: [
        { id: "yes", label: "yes" },
        { id: "no", label: "Not now" },
      ],
      from: "people",
    });
    const named = {
      options: ["a", "b"],
      from: ["anna@acme", "~brisk-lynx-4f2a9c", "anna@acme"],
      until: "2027-01-01T00:00Z",
    };
    expect(parseAsk(named)).toMatchObject({
      from: ["anna@acme", "~brisk-lynx-4f2a9c"],
      until: "2027-01-01T00:00:00.000Z",
    });
  });

  it("is not changed by being parsed again", () => {
    const label = fc.string({ unit: "grapheme", minLength: 1, maxLength: ASK_BOUNDS.label });
    const option = fc.oneof(
      fc.stringMatching(/^[a-z0-9-]{1,32}$/),
      fc.record({ id: fc.stringMatching(/^[a-z0-9-]{1,32}$/), label }),
    );
    const ask = fc.record({ options: fc.array(option, { maxLength: 7 }), guests: fc.boolean() });
    fc.assert(
      fc.property(ask, (value) => {
        const parsed = parseAsk(value);
        if (!isFault(parsed)) expect(parseAsk(parsed)).toEqual(parsed);
      }),
    );
  });

  it("never makes the parser throw", () => {
    const anything = fc.anything({ withNullPrototype: true });
    const ask = fc.record({ options: anything, from: anything, guests: anything, until: anything });
    fc.assert(
      fc.property(fc.oneof(anything, ask), (value) => {
        for (const parsed of [parseAsk(value), parseAnswer(value)]) {
          if (isFault(parsed)) expect(["invalid", "too_large"]).toContain(parsed.fault);
        }
      }),
    );
  });

  it.each([
    "\u202a",
    "\u202e",
    "\u2066",
    "\u2069",
    "\u200e",
    "\u061c",
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u{e0041}",
    "\u2028",
    "\u0000",
    "\u0085",
    "\ud800",
  ])("has no label with %j", (character) => {
    expect(parseAsk({ options: [{ id: "a", label: `x${character}x` }, "b"] })).toMatchObject({ fault: "invalid" });
  });

  it("counts the characters of a label as people do not, but as no script is cheated", () => {
    const label = "😀".repeat(80);
    expect(parseAsk({ options: [{ id: "a", label }, "b"] })).toMatchObject({ options: [{ label }, {}] });
    expect(parseAsk({ options: [{ id: "a", label: `${label}x` }, "b"] })).toMatchObject({ fault: "invalid" });
  });
});

describe("a submission", () => {
  it("is a text, an ask or an answer", () => {
    expect(parseSubmission({ id: "a", content: "Hi", ask: null, answer: null })).toEqual({ id: "a", content: "Hi" });
    const answer = { target: 3, option: "yes" };
    expect(parseSubmission({ id: "a", answer, content: 7, replyTo: "x" })).toEqual({ id: "a", answer });
    expect(parseSubmission({ id: "a", content: "Go?", ask: { options: ["a", "b"] }, replyTo: 2 })).toMatchObject({
      ...{ content: "Go?", replyTo: 2, ask: { from: "people" } },
    });
    expect(parseSubmission({ id: "a", content: "Go?", ask: { options: ["a", "b"] }, answer })).toMatchObject({
      fault: "invalid",
    });
  });
});
