/** What of one's own waits for a moderator, as its author sees it, also after a reload. */

import { expect, test } from "vitest";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, mount, until } from "../../../test/browser/widget.ts";

const ME = "~brisk-lynx-4f2a9c";
const GUEST = "a".repeat(22);

/** A room that holds what guests say, as the guest sees it who has been here before. */
function heldRoom() {
  const room = server.room("lobby").fill(1, () => ({ content: "Before" }));
  room.info.hold = "guests";
  localStorage.setItem(`meet-ai:guest:${location.origin}`, GUEST);
  return room;
}

const states = (room: ReturnType<typeof mount>["element"]) =>
  findAll(room, "meet-ai-message").map((row) => row.className.replace(/row |leads|own/g, "").trim());

test("what waits is shown as that after a reload, and is approved in place", async () => {
  const room = heldRoom();
  room.hold(ME, "Mine", "m-1");
  room.hold("~calm-crane-000000", "Not mine");
  const { element } = mount(server);
  await until(() => contents(element).join() === "Before,Mine");
  expect(states(element)).toEqual(["kept", "waiting"]);
  await until(() => find(element, ".delivery")?.textContent === "A moderator sees it first");
  room.held.delete("held-m-1");
  room.say(ME, "Mine", { id: "m-1" });
  await until(() => states(element).join() === "kept,kept");
  expect(contents(element)).toEqual(["Before", "Mine"]);
});

test("what was refused while its author was away says so, and what was approved is in the log once", async () => {
  const room = heldRoom();
  room.hold(ME, "Good", "m-1");
  room.hold(ME, "Bad", "m-2");
  const { element } = mount(server);
  await until(() => states(element).join() === "kept,waiting,waiting");
  room.drop();
  room.held.clear();
  room.fill(1, () => ({ sender: ME, content: "Good", id: "m-1" }));
  element.reconnect();
  await until(() => states(element).join() === "kept,kept,failed");
  expect(contents(element)).toEqual(["Before", "Good", "Bad"]);
  await until(() => find(element, ".notice")?.textContent?.includes("A moderator has refused this message."));
  // It would be refused again.
  expect(findAll(element, ".delivery button").map(({ textContent }) => textContent)).toEqual(["Discard"]);
});

test("an answer that comes after the approval adds nothing", async () => {
  const room = heldRoom();
  room.hold(ME, "Mine", "m-1");
  room.fill(1, () => ({ sender: ME, content: "Mine", id: "m-1" }));
  const { element } = mount(server);
  await until(() => server.fetched.some((url) => url.endsWith("/held")));
  await until(() => contents(element).length === 2);
  await element.updateComplete;
  expect(states(element)).toEqual(["kept", "kept"]);
});

test("an answer that comes after a refusal does not bring the wait back", async () => {
  const room = heldRoom();
  room.hold(ME, "Bad", "m-1");
  let answer = () => {};
  const { fetch: fake } = globalThis;
  globalThis.fetch = async (input, init) => {
    const response = await fake(input, init);
    if (String(input).endsWith("/held"))
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
    return response;
  };
  const { element } = mount(server);
  await until(() => element.me === ME && server.fetched.some((url) => url.endsWith("/held")));
  room.broadcast({
    type: "error",
    code: "forbidden",
    message: "A moderator has refused it.",
    about: "send",
    id: "m-1",
  });
  answer();
  await until(() => states(element).join() === "kept,failed");
  expect(findAll(element, ".delivery button").map(({ textContent }) => textContent)).toEqual(["Discard"]);
});

test("a room that holds nothing is not asked", async () => {
  const room = heldRoom();
  delete room.info.hold;
  const { element } = mount(server);
  await until(() => element.me === ME && contents(element).length === 1);
  await element.updateComplete;
  expect(server.fetched.filter((url) => url.endsWith("/held"))).toEqual([]);
});
