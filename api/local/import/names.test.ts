import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isReservedName } from "../../../party/identity/agent-name.ts";
import { isHandle } from "../../../party/identity/handle.ts";
import { guestSender, isAgent, isGuest, participantOf, personOf } from "../../../party/identity/sender.ts";
import { SENDER } from "../../../party/identity/sender-form.ts";
import { MESSAGE_ID } from "../../../party/message-parser.ts";
import { isRoomId } from "../../../party/protocol.ts";
import { handleFrom, idFrom, roomIdFrom, senderFrom } from "./names.ts";

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.stringMatching(/^[a-z0-9-]{0,80}$/),
);
const free = () => false;

describe("a name of the previous server", () => {
  it("becomes one in today's form, whatever it was, and the same each time", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const [handle, room, sender, id] = [
          handleFrom(text, free),
          roomIdFrom(text, free),
          senderFrom(text, free),
          idFrom(text),
        ];
        expect(isHandle(handle) && SENDER.test(handle) && !isReservedName(handle)).toBe(true);
        expect(isRoomId(room)).toBe(true);
        expect(SENDER.test(sender) && sender.length <= 100).toBe(true);
        expect(MESSAGE_ID.test(id)).toBe(true);
        expect([handleFrom(text, free), roomIdFrom(text, free), senderFrom(text, free)]).toEqual([
          handle,
          room,
          sender,
        ]);
      }),
    );
  });

  it("is another one than those that are taken, however many are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyText, { maxLength: 40 }), (texts) => {
        for (const name of [handleFrom, roomIdFrom, senderFrom]) {
          const taken = new Set<string>();
          for (const text of texts) taken.add(name(text, (known) => taken.has(known)));
          expect(taken.size).toBe(texts.length);
        }
      }),
    );
  });

  it("stays readable", () => {
    expect(roomIdFrom("Größe & Maß!", free)).toBe("grosse-mass");
    expect(roomIdFrom("x", free)).toBe("room-x");
    expect(handleFrom("Swift Otter", free)).toBe("swift-otter");
    expect(handleFrom("Swift Otter", (name) => name === "swift-otter")).toMatch(/^swift-otter-[0-9a-f]{6}$/);
    expect(senderFrom("Änne", free)).toBe("anne@before");
    expect(senderFrom("Анна", free)).toMatch(/^someone-[0-9a-f]{6}@before$/);
  });

  it.each(["admin", "system", "operator", "meet-ai", "support-team", "Official-News"])(
    "does not pose as the server: %s",
    (text) => expect(handleFrom(text, free)).toMatch(/^[a-z]+-[a-z]+$/),
  );
});

describe("a sender without a key", () => {
  it("has a name that no person, agent or guest can have", async () => {
    const sender = senderFrom("Anna", free);
    expect(sender).toMatch(/@before$/);
    expect([isAgent(sender), isGuest(sender), personOf(sender)]).toEqual([false, false, sender]);
    const handles = fc.string().map((text) => handleFrom(text, free));
    fc.assert(
      fc.property(handles, (handle) => {
        expect(participantOf({ id: "k", handle }, "").sender).not.toContain("@");
        expect(participantOf({ id: "k", handle }, "", "claude").sender).not.toContain("@");
      }),
    );
    expect(await guestSender("secret", "pepper")).not.toContain("@");
  });
});
