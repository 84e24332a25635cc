import { expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../room-record.ts";
import { Decisions } from "./decisions.ts";

it("an approval is answered also when it can't be written down: the message has its place, and the batch goes on", async () => {
  const held = { id: "h", sender: "a-b", message: "m", content: "hello", ref: null, at: 0, tag: null };
  const moderator = { sender: "c-d", principal: "person:1", role: "moderator" } as const;
  const decisions = new Decisions({
    now: () => 0,
    record: () => ({ id: "room", access: "open", settings: DEFAULT_SETTINGS }) as never,
    reader: (participant) => participant,
    moderation: {
      refuse: () => undefined,
      find: () => ({ ...held, why: "newcomer", state: "waiting", seq: null }),
      decided: () => {
        throw new Error("database or disk is full");
      },
    } as never,
    find: async () => undefined,
    place: ({ message, settle }) => settle({ message: { ...message, seq: 7, at: 0 }, repeated: false }),
    tellAuthor: () => undefined,
  });
  expect(await decisions.approve(moderator, "h")).toMatchObject({ message: { seq: 7 }, repeated: false });
});
