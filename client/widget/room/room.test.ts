import { afterEach, beforeEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { FakeServer } from "../../../test/browser/fake-server.ts";
import { contents, find, findAll, mount, until } from "../../../test/browser/widget.ts";

let server: FakeServer;

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer().install();
});

afterEach(() => {
  document.body.replaceChildren();
  server.uninstall();
});

test("a room shows what was said, and what is said", async () => {
  const room = server.room("lobby").fill(3);
  const { element } = mount(server);
  await until(() => contents(element).length === 3);
  room.say("swift-otter/claude", "Live");
  await until(() => contents(element).at(-1) === "Live");
});

test("a person gets a name when they begin to write, and keeps it", async () => {
  const room = server.room("lobby");
  const { element } = mount(server);
  const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
  await until(() => room.sockets.size === 1);
  expect(room.received).toEqual([]);
  await userEvent.click(field);
  await until(() => room.received.some(({ type }) => type === "hello"));
  await userEvent.keyboard("Hello{Enter}");
  await until(() => contents(element).includes("Hello"));
  expect(room.log.at(-1)).toMatchObject({ sender: "~brisk-lynx-4f2a9c", content: "Hello" });
  expect(field.value).toBe("");
  expect(findAll(element, ".row.own")).toHaveLength(1);
});
