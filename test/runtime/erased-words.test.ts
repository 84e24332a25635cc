/** While D1 takes no writes it still has words that were deleted or erased. From the answer on they are shown to nobody. */

import { env } from "cloudflare:workers";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { admit, archive, archived, evict, expectStatus, ownerWithRoom, stubOf, Visitor } from "./visitor.ts";

const DELETED = "what was deleted";
const ERASED = "what was erased";

/** From now on D1 refuses to change anything that it has of any room, and answers what it is asked. */
async function refuseWrites(): Promise<void> {
  vi.spyOn(console, "warn").mockReturnValue();
  const triggers = ["packs", "room_state", "senders", "rooms"].flatMap((table) =>
    ["INSERT", "UPDATE", "DELETE"].map((action) => ({
      name: `locked_${table}_${action}`,
      on: `${action} ON ${table}`,
    })),
  );
  for (const { name, on } of triggers) {
    await env.DB.exec(`CREATE TRIGGER ${name} BEFORE ${on} BEGIN SELECT RAISE(ABORT, 'database is locked'); END`);
  }
  onTestFinished(async () => {
    for (const { name } of triggers) await env.DB.exec(`DROP TRIGGER ${name}`);
    vi.restoreAllMocks();
  });
}

/** All that the room `room` tells, on every path by which messages are read. */
async function everyAnswer(owner: Visitor, room: string, epoch: string): Promise<[path: string, text: string][]> {
  const messages = `/api/rooms/${room}/messages`;
  const paths = [
    ...["", "?after=0", "?before=9", `?after=1&epoch=${epoch}`, "?after=0&wait=1"].map((query) => messages + query),
    ...["", "&after=0", "&before=9", "&around=2", "&mentions=calm-newt"].map(
      (query) => `${messages}?format=brief${query}`,
    ),
    `/r/${room}?format=md`,
    `/api/rooms/${room}/export`,
    `/api/rooms/${room}/export?format=md`,
    `/api/rooms/${room}/held`,
    `/api/rooms/${room}/members`,
    `/api/rooms/${room}/moderation`,
  ];
  const answers: [string, string][] = [];
  for (const path of paths) {
    const response = await owner.fetch(path);
    const text = new TextDecoder().decode(await response.arrayBuffer());
    expect([path, response.status, text.length > 0]).toEqual([path, 200, true]);
    answers.push([path, text]);
  }
  for (const more of [{}, { after: 0 }, { before: 9 }, { around: 2 }]) {
    const call = { name: "read_room", arguments: { room, ...more } };
    const response = await new Visitor().send("POST", "/mcp", {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: call,
    });
    answers.push([`read_room ${JSON.stringify(more)}`, await response.text()]);
  }
  for (const query of ["?knows=erasure", `?after=1&epoch=${epoch}&knows=erasure`, "?after=0"]) {
    const welcome = await (await new Visitor().connect(room, { query })).welcome();
    expect(welcome.head).toBe(5);
    answers.push([`socket ${query}`, JSON.stringify(welcome)]);
  }
  const events = (await new Visitor().fetch(`/api/rooms/${room}/events?after=0`)).body?.getReader();
  answers.push(["events", new TextDecoder().decode((await events?.read())?.value)]);
  await events?.cancel();
  return answers;
}

/** What of a text names `sender`, but for the entry of the erasure, which does so until D1 has followed. */
const naming = (text: string, sender: string): string[] =>
  text.split(/\n|\\n|(?=\{"seq":)/).filter((line) => line.includes(sender) && !/erasure|erased everything/.test(line));

it("no path shows deleted or erased words, nor whose they were, from the moment of the answer", async () => {
  const { owner, room } = await ownerWithRoom();
  const troll = await Visitor.withKey();
  // They were a member, too.
  await admit(owner, room, troll);
  await expectStatus(await owner.fetch(`/api/rooms/${room}/members/${troll.handle}`, { method: "DELETE" }), 204);
  const say = async (who: Visitor, content: string, more: object = {}) => {
    const response = await who.send("POST", `/api/rooms/${room}/messages`, { content, ...more });
    await expectStatus(response, 201);
    return response.json<Message>();
  };
  await say(owner, DELETED);
  await say(troll, ERASED, { ask: { options: [{ id: "yes", label: ERASED }, "no"], from: "people" } });
  await say(troll, ERASED, { as: "bot" });
  await archive(room);
  const { epoch } = await owner.json<{ epoch: string }>(`/api/rooms/${room}/messages`);
  await refuseWrites();

  await expectStatus(await owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" }), 204);
  const erased = await owner.fetch(`/api/rooms/${room}/messages?sender=${troll.handle}`, { method: "DELETE" });
  await expectStatus(erased, 202);
  for (const state of ["awake", "after a copy that failed", "after a sleep"]) {
    if (state === "after a copy that failed") await archive(room);
    if (state === "after a sleep") await evict(stubOf(room));
    for (const [path, text] of await everyAnswer(owner, room, epoch)) {
      expect([state, path, text.includes(DELETED), text.includes(ERASED)]).toEqual([state, path, false, false]);
      expect([state, path, naming(text, troll.handle)]).toEqual([state, path, []]);
    }
  }
  // Nobody was shown what D1 has all the same.
  expect((await archived(room)).map(({ content }) => content.includes(ERASED) || content === DELETED)).toEqual([
    true,
    true,
    true,
  ]);
});
