/** A message on its way into a file and back. */

import { describe, expect, it } from "vitest";
import { type AskTerms, askContent } from "../../party/asks/ask.ts";
import { tombstone } from "../../party/log/erasure.ts";
import { answerKind, type StoredMessage, toMessage } from "../../party/log/stored-message.ts";
import { changedRecord, messageRecord, recordOf, storedMessage } from "./records.ts";

const AT = Date.parse("2026-11-26T12:00:00.000Z");
const TERMS: AskTerms = {
  options: [
    { id: "yes", label: "Yes, go on" },
    { id: "no", label: "no" },
  ],
  from: ["anna@acme"],
  until: "2026-11-30T00:00:00.000Z",
};

const stored = (kind: StoredMessage["kind"], content: string, ref: number | null = null): StoredMessage => {
  return { seq: 7, id: "a", kind, sender: "swift-otter", content, ref, at: AT };
};

const asks = [
  TERMS,
  { options: TERMS.options, from: "people", guests: true },
  { options: TERMS.options, from: "people" },
] as const;

const messages = [
  stored("text", "Hello"),
  stored("text", "Hello", 3),
  stored("text", ""),
  ...asks.map((terms) => stored("ask", askContent("Go?", terms))),
  stored("ask", askContent("Go?", TERMS), 3),
  stored(answerKind("yes"), "Yes, go on", 3),
  stored(answerKind("yes"), "", 3),
  tombstone(stored(answerKind("yes"), "Yes, go on", 3)),
  stored("deletion", "", 3),
  stored("expiry", "", 3),
  stored("erasure", "calm-heron", 3),
];

describe("a message", () => {
  it("is the same after it was in a file, whatever has become of it", () => {
    for (const message of messages) {
      expect(storedMessage(messageRecord(toMessage(message)))).toEqual(message);
      expect(storedMessage(recordOf(message))).toEqual(message);
    }
  });

  it("that asks is a text for those who do not know asks, and says what can be answered", () => {
    const record = messageRecord(toMessage(stored("ask", askContent("Go?", TERMS))));
    expect(record).toMatchObject({
      kind: "text",
      content: "Go?",
      ask: { options: TERMS.options, from: ["anna@acme"] },
    });
    expect(messageRecord(toMessage(stored(answerKind("no"), "no", 3)))).toMatchObject({
      kind: "text",
      answer: "no",
      ref: 3,
    });
  });

  it("that asks loses what it asks with its words, in a file too", () => {
    const record = messageRecord(toMessage(stored("ask", askContent("Go?", TERMS))));
    expect(changedRecord(record, (message) => ({ ...message, content: "" }))).not.toHaveProperty("ask");
    expect(changedRecord(record, tombstone)).not.toHaveProperty("ask");
    expect(changedRecord(record, (message) => message)).toBe(record);
  });

  it("whose ask can't be one is a text: somebody has changed the file", () => {
    const record = {
      ...messageRecord(toMessage(stored("text", "Go?"))),
      ask: { options: [], from: "people" } as AskTerms,
    };
    expect(storedMessage(record)).toEqual(stored("text", "Go?"));
  });
});
