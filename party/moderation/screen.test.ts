import { expect, it } from "vitest";
import { answer, ask, startedLog } from "../../test/unit/entries.ts";
import { text } from "../../test/unit/sqlite.ts";
import { roomScreen } from "./room-screen.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

it("who has written, asked or answered is no newcomer any more, nor are their agents", () => {
  const log = startedLog();
  log.append([text("a-b", "1"), ask("2", "c-d/bot"), answer(2, "e-f")], NOON);
  const held: string[] = [];
  const screen = roomScreen({
    ...{ now: () => NOON, log },
    rules: () => ({ slow: 0, hold: "newcomers", links: "anyone", blocked: [] }),
    moderation: {
      held: { add: ({ sender }: { sender: string }) => held.push(sender) && { id: "h" } },
      heldOne: () => undefined,
    } as never,
  });
  const senders = ["a-b", "a-b/new", "c-d", "e-f", "g-h"];
  for (const sender of senders) screen.hold({ sender, principal: sender }, text(sender, "x"));
  expect(held).toEqual(["g-h"]);
});
