/** `/mcp` while something behind it is away, and what could lead a call astray. What it does otherwise is in `test/processes/mcp`. */

import { describe, expect, it } from "vitest";
import { ownerWithRoom, Visitor, without } from "./visitor.ts";

/** The text of a tool's answer, and whether it is an error. */
async function call(name: string, args: object, visitor = new Visitor()) {
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
  const response = await visitor.send("POST", "/mcp", body);
  const { result } = JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? "");
  return { status: response.status, text: result.content[0].text as string, isError: result.isError === true };
}

it("says that a room can't be reached while D1 is away, and when to come again", async () => {
  const { room } = await ownerWithRoom();
  const read = await without("rooms", () => without("packs", () => call("read_room", { room, after: 0 })));
  expect(read).toMatchObject({ status: 200, isError: true });
  expect(read.text).toMatch(/^unavailable: .* Try again in \d+ s\.$/);
});

it("says that nothing can be listed while D1 is away", async () => {
  const listed = await without("rooms", () => call("list_rooms", {}));
  expect(listed).toMatchObject({ status: 200, isError: true });
  expect(listed.text).toMatch(/^unavailable: /);
});

describe("a call", () => {
  it("comes from the address of its caller: who is muted with it is muted here, whoever's key they have", async () => {
    const { room, owner } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    const say = (who: Visitor) => call("send_message", { room, content: "hello" }, who);
    expect(await say(troll)).toMatchObject({ isError: false });
    await owner.send("PUT", `/api/rooms/${room}/mutes/${encodeURIComponent(`${troll.handle}/agent`)}`, {
      address: true,
    });
    const other = await Visitor.withKey();
    const again = Object.assign(new Visitor(troll.address), { key: other.key, handle: other.handle });
    expect((await say(again)).text).toMatch(/^muted: /);
    expect(await say(other)).toMatchObject({ isError: false });
  });

  const nested = (depth: number) => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`) as unknown;
  const named = (values: readonly unknown[]) => values.map((value) => [JSON.stringify(value).slice(0, 20), value]);
  const lost = [
    "",
    ".",
    "..",
    "../keys",
    "%2e%2e",
    "messages?",
    "lobby/messages",
    "a\ud800",
    nested(15_000),
    { a: 1 },
    7,
  ];

  it.each(named(lost))("with a room that is no id is told that there is none: %s", async (_, room) => {
    const answers = await Promise.all([
      call("who_is_here", { room }),
      call("read_room", { room }),
      call("wait_for_messages", { room, after: 0, wait: 0 }),
      call("ask_people", { room, seq: 1, wait: 0 }),
    ]);
    for (const { text, isError } of answers) expect([text.split(":")[0], isError]).toEqual(["not_found", true]);
  });

  const noSeqs = ["", ".", "..", "1/../..", "1e3", "-1", 0, 1.5, nested(15_000), { a: 1 }];

  it.each(named(noSeqs))("with a seq that is none is told so, and touches nothing: %s", async (_, seq) => {
    const { room, owner } = await ownerWithRoom();
    for (const [name, args] of [
      ["delete_message", { room, seq }],
      ["ask_people", { room, seq, wait: 0 }],
    ] as const) {
      const { text, isError } = await call(name, args, owner);
      expect([text.split(":")[0], isError]).toEqual(["invalid", true]);
    }
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
  });
});
