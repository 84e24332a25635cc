/** `/mcp` while something behind it is away. What it does otherwise is in `test/processes/mcp`. */

import { expect, it } from "vitest";
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
