/** Messages as Markdown, those that ask and answer among them. */

import { expect, it } from "vitest";
import type { Ask, Message } from "../party/protocol.ts";
import { messageAsText } from "./message-text.ts";

const TIME = "2026-11-26T12:00:00.000Z";

const ASK: Ask = {
  options: [
    { id: "yes", label: "Yes, go on" },
    { id: "no", label: "no" },
  ],
  from: "people",
  until: "2026-12-03T12:00:00.000Z",
};

const message = (more: Partial<Message>): Message => ({
  ...{ seq: 12, id: "a", kind: "text", sender: "swift-otter/bot", content: "Deploy?", createdAt: TIME },
  ...more,
});

it("an ask says who may answer, until when, and how", () => {
  expect(messageAsText(message({ ask: ASK }))).toBe(`12. **swift-otter/bot** asks (${TIME})

   > Deploy?
   >
   > - \`yes\`: Yes, go on
   > - \`no\`

   Open until ${ASK.until} to people with a key. To answer, POST \`{"answer":{"target":12,"option":"…"}}\` with one of these ids.
`);
  const named = messageAsText(message({ ask: { ...ASK, from: ["anna@acme", "calm-heron"] } }));
  expect(named).toContain("to anna@acme, calm-heron. To answer");
  expect(messageAsText(message({ ask: { ...ASK, guests: true } }))).toContain("people with a key, and guests.");
});

it("a closed ask says what has closed it", () => {
  const closedBy = (closed: Ask["closed"]) => messageAsText(message({ ask: { ...ASK, ...(closed && { closed }) } }));
  expect(closedBy({ option: "no", by: "anna@acme", seq: 14 })).toContain(
    "Answered by anna@acme with `no` (message 14).",
  );
  expect(closedBy({ option: "no", by: "", seq: 14 })).toContain("Answered by somebody who was erased with `no`");
  expect(closedBy({ expired: true, seq: 14 })).toContain("Nobody answered in time (message 14).");
});

it("an answer says what it answers, and an expiry that nobody has", () => {
  const answer = message({ sender: "anna", content: "Yes, go on", answer: { target: 12, option: "yes" }, replyTo: 12 });
  expect(messageAsText(answer)).toBe(`12. **anna** answers message 12 with \`yes\` (${TIME})\n\n   > Yes, go on\n`);
  const expiry = message({ kind: "expiry", replyTo: 9, content: "" });
  expect(messageAsText(expiry)).toBe(`12. Nobody answered message 9 in time (${TIME})\n`);
});

it("words of others stay in the quotation, whatever they are", () => {
  const text = messageAsText(message({ content: "One\n\n# Two", ask: ASK }));
  expect(text).toContain("   > One\n   > \n   > # Two\n   >\n");
});
