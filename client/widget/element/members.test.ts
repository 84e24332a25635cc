/** A room that only its members read: the way in by an invite, and what others see. */

import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { CLOSE } from "../../../party/protocol.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, mount, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

const INVITE = `inv_${"a".repeat(36)}`;
const KEY = `mai_${"k".repeat(24)}`;

/** A room with a secret, which nobody may read yet. */
function closedRoom() {
  const room = server.room("lobby");
  room.fill(1, () => ({ content: "A secret" }));
  room.info.name = "The den";
  room.info.access = "members";
  room.people = ["swift-otter"];
  room.members = new Set();
  return room;
}

function visit(properties: Partial<Pick<MeetAiRoom, "key" | "invite">> = {}, attributes: Record<string, string> = {}) {
  const { element } = mount(server, attributes);
  return Object.assign(element, properties);
}

const barred = (element: MeetAiRoom) => find(element, ".barred")?.textContent?.replace(/\s+/g, " ").trim();

describe("with an invite", () => {
  test("a person without a key is let in as a guest, and is the same one without it the next time", async () => {
    const room = closedRoom();
    room.invites.add(INVITE);
    const element = visit({ invite: INVITE });
    await until(() => contents(element).join() === "A secret");
    expect(element.me).toBe(room.handle);
    const [hello] = room.received;
    expect(hello).toMatchObject({ type: "hello", invite: INVITE });
    element.remove();
    await until(() => room.sockets.size === 0);
    const again = visit();
    await until(() => contents(again).join() === "A secret");
    expect(room.received.at(-1)).toEqual({ type: "hello", guest: (hello as { guest: string }).guest });
  });

  test("a person with a key joins with that", async () => {
    const room = closedRoom();
    room.invites.add(INVITE);
    const element = visit({ key: KEY, invite: INVITE });
    await until(() => contents(element).join() === "A secret");
    expect(room.received).toEqual([{ type: "hello", key: KEY, invite: INVITE }]);
    expect(Object.keys(localStorage).filter((name) => name.includes("guest"))).toEqual([]);
  });

  test("a guest who makes a key keeps the place, though the invite is used up and the page has forgotten it", async () => {
    const room = closedRoom();
    room.invites.add(INVITE);
    const guest = visit({ invite: INVITE });
    await until(() => contents(guest).join() === "A secret");
    await until(() => localStorage.getItem(`meet-ai:invite:${location.origin}/lobby`) === INVITE);
    guest.remove();
    await until(() => room.sockets.size === 0);
    const element = visit({ key: KEY });
    await until(() => contents(element).join() === "A secret");
    expect([element.me, [...(room.members ?? [])]]).toEqual(["swift-otter", ["swift-otter"]]);
    // It is nobody's any more, so nobody is asked about it again.
    expect(localStorage.getItem(`meet-ai:invite:${location.origin}/lobby`)).toBeNull();
    room.members?.clear();
    element.reconnect();
    await until(() => barred(element));
    expect(server.fetched.filter((url) => url.endsWith("/join"))).toHaveLength(1);
  });

  test("a place that the server does not give is asked for once, however often the key comes back", async () => {
    const room = closedRoom();
    localStorage.setItem(`meet-ai:guest:${location.origin}`, "a".repeat(22));
    localStorage.setItem(`meet-ai:invite:${location.origin}/lobby`, INVITE);
    const key = `mai_${"r".repeat(24)}`;
    const element = visit({ key });
    await until(() => barred(element));
    for (const hellos of [2, 3]) {
      element.reconnect();
      await until(() => room.received.length === hellos && barred(element));
    }
    expect(server.fetched.filter((url) => url.endsWith("/join"))).toHaveLength(1);
  });

  test("one who only watches says who they are, too: else there is nothing to watch", async () => {
    const room = closedRoom();
    room.invites.add(INVITE);
    const element = visit({ invite: INVITE }, { readonly: "" });
    await until(() => contents(element).join() === "A secret");
    expect(find(element, "textarea")).toBeNull();
  });

  test("who only watches an open room is nobody, also with a key", async () => {
    const room = server.room("lobby").fill(1, () => ({ content: "No secret" }));
    const { element } = mount(server, { readonly: "" });
    element.key = KEY;
    await until(() => contents(element).join() === "No secret");
    expect([element.me, room.received]).toEqual([undefined, []]);
  });

  test("who only watches with the key of a member says so when the room asks", async () => {
    const room = closedRoom();
    room.members?.add("swift-otter");
    const element = visit({ key: KEY }, { readonly: "" });
    await until(() => contents(element).join() === "A secret");
    expect(room.received).toEqual([{ type: "hello", key: KEY }]);
    expect(find(element, "textarea")).toBeNull();
  });

  test("one that comes later is used at once", async () => {
    const room = closedRoom();
    room.invites.add(INVITE);
    const element = visit();
    await until(() => barred(element));
    element.invite = INVITE;
    await until(() => contents(element).join() === "A secret");
  });

  test("one that is over says so", async () => {
    closedRoom();
    const element = visit({ invite: INVITE });
    await until(() => barred(element)?.includes("This invite has expired, is used up or was revoked."));
  });
});

describe("a guest who has made a key", () => {
  test("is not told that the room is for others while the key gets the guest's place", async () => {
    const room = closedRoom();
    room.members?.add(room.handle);
    localStorage.setItem(`meet-ai:guest:${location.origin}`, "a".repeat(22));
    localStorage.setItem(`meet-ai:invite:${location.origin}/lobby`, INVITE);
    let answer = () => {};
    const { fetch: fake } = globalThis;
    globalThis.fetch = async (input, init) => {
      if (String(input).endsWith("/join"))
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      return fake(input, init);
    };
    const element = visit({ key: `mai_${"p".repeat(24)}` });
    await until(() => barred(element));
    expect(barred(element)).toBe("Connecting…");
    answer();
    await until(() => contents(element).join() === "A secret");
  });

  test("is told so when the place is no longer theirs", async () => {
    closedRoom();
    localStorage.setItem(`meet-ai:guest:${location.origin}`, "a".repeat(22));
    localStorage.setItem(`meet-ai:invite:${location.origin}/lobby`, INVITE);
    const element = visit({ key: `mai_${"g".repeat(24)}` });
    await until(() => barred(element)?.includes("This room is for its members."));
  });

  test("is told so when the server can't be asked, which is tried again with the next try to come in", async () => {
    const room = closedRoom();
    room.members?.add(room.handle);
    localStorage.setItem(`meet-ai:guest:${location.origin}`, "a".repeat(22));
    localStorage.setItem(`meet-ai:invite:${location.origin}/lobby`, INVITE);
    const { fetch: fake } = globalThis;
    let asked = 0;
    globalThis.fetch = (input, init) => {
      if (!String(input).endsWith("/join") || asked++ > 0) return fake(input, init);
      return Promise.reject(new TypeError("Failed to fetch"));
    };
    const element = visit({ key: `mai_${"t".repeat(24)}` });
    await until(() => barred(element)?.includes("This room is for its members."));
    expect(asked).toBe(1);
    find(element, ".barred button")?.click();
    await until(() => contents(element).join() === "A secret");
  });
});

describe("without an invite", () => {
  test("the element says that it is for members, leads to a key, and shows nothing of the room", async () => {
    const room = closedRoom();
    const element = visit();
    const messages: Event[] = [];
    element.addEventListener("meet-ai-message", (event) => messages.push(event));
    await until(() => barred(element));
    expect(barred(element)).toBe(
      "This room is for its members. Use the key of a member, or ask for an invite where you found this room. Use a key Try again",
    );
    for (const part of ["header", "meet-ai-feed", "textarea", ".here"]) expect(find(element, part)).toBeNull();
    expect([element.messages, element.people, element.me, messages]).toEqual([[], [], undefined, []]);
    const asked = new Promise<void>((resolve) => {
      element.addEventListener("meet-ai-key", (event) => {
        event.preventDefault();
        resolve();
      });
    });
    find(element, ".barred a")?.click();
    await asked;
    room.members?.add("swift-otter");
    element.key = KEY;
    await until(() => contents(element).join() === "A secret");
    expect(find(element, "h2")?.textContent).toBe("The den");
  });

  test("the key of a stranger changes nothing", async () => {
    closedRoom();
    const element = visit({ key: KEY });
    await until(() => barred(element)?.includes("Use the key of a member"));
  });

  test("who is removed is shown nothing any more", async () => {
    const room = closedRoom();
    room.members?.add("swift-otter");
    const element = visit({ key: KEY });
    await until(() => contents(element).join() === "A secret");
    room.members?.clear();
    room.broadcast({ type: "error", code: "forbidden", message: "Not any more." });
    room.drop(CLOSE.forbidden);
    await until(() => barred(element));
    expect([element.messages, element.people, element.me]).toEqual([[], [], undefined]);
    expect(element.renderRoot.textContent).not.toContain("The den");
    // A try is worth it: perhaps they were taken in again.
    room.members?.add("swift-otter");
    find(element, ".barred button")?.click();
    await until(() => contents(element).join() === "A secret");
  });

  test.each([
    ["de", "Dieser Raum ist für seine Mitglieder."],
    ["ar", "هذه الغرفة لأعضائها."],
  ])("in %s it says so too", async (lang, words) => {
    closedRoom();
    const element = visit({}, { lang });
    await until(() => barred(element)?.includes(words));
  });

  test.each(["light", "dark"])("axe finds nothing in it, %s", async (theme) => {
    closedRoom();
    const element = visit({}, { theme });
    await until(() => barred(element));
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
  });
});

test("a reader of it has no field, and reads why", async () => {
  const room = closedRoom();
  room.members?.add("swift-otter");
  room.role = "reader";
  const element = visit({ key: KEY });
  await until(() => find(element, ".watching")?.textContent?.trim() === "You read along here. Members write.");
  await userEvent.keyboard("{Tab}");
  expect(find(element, "textarea")).toBeNull();
});
