/** What the runtime keeps with a socket while its room sleeps: who somebody is, and nothing that proves it. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ownerWithRoom, stubOf, Visitor } from "./visitor.ts";

describe("a socket's attachment", () => {
  it("has neither the key nor the guest's secret that came over it", async () => {
    const { owner, room } = await ownerWithRoom();
    const key = owner.key as string;
    const guest = "a-guests-secret-of-good-length";
    const line = await new Visitor().connect(room, { query: `?key=${key}&after=0&epoch=${key}` });
    line.send({ type: "hello", guest });
    await line.next("you");
    await owner.enter(room, "claude");
    const upgraded = await owner.connect(room, { headers: { authorization: `Bearer ${key}` } });
    await upgraded.next("you");
    const attachments = await runInDurableObject(stubOf(room), (_, state) =>
      state.getWebSockets().map((socket) => JSON.stringify(socket.deserializeAttachment())),
    );
    expect(attachments).toHaveLength(3);
    for (const attachment of attachments) {
      expect(attachment).toContain("participant");
      expect(attachment).not.toContain(key.slice(4));
      expect(attachment).not.toContain(guest);
    }
  });
});
