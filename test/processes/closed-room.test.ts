/** A room that the operator has closed, in a terminal and through a bridge: each command says so, and no agent is run in vain. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { readOperatorSecret } from "../../api/local/operator-secret.ts";
import { Bridged } from "./bridge/bridged.ts";
import { Terminal } from "./cli/terminal.ts";
import { Server } from "./server.ts";

const CLOSED = "This server's operator has closed the room: it can be read, and nobody can write.\n";

let server: Server;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server?.remove();
});

/** The operator closes a room, or opens it again. */
async function close(room: string, closed = true): Promise<void> {
  const { status } = await fetch(`${server.url}/api/admin/rooms/${room}`, {
    method: "PATCH",
    headers: {
      authorization: `Operator ${readOperatorSecret(server.stateDir)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ closed }),
  });
  expect(status).toBe(200);
}

it("each command says so on stderr, once, and leaves stdout to the messages", async () => {
  using terminal = new Terminal(server.url);
  await terminal.run(["key", "create"]);
  const { id } = JSON.parse((await terminal.run(["create", "A room", "--json"])).out) as { id: string };
  await terminal.run(["say", id, "Hello"]);
  const tail = terminal.start(["tail", id, "--plain"]);
  await tail.prints(/Hello/);
  await close(id);
  await tail.prints(/has closed the room/);
  expect(await terminal.run(["tail", id, "--once", "--brief"])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^1 .*: Hello\n$/),
    err: CLOSED,
  });
  expect(await terminal.run(["who", id])).toMatchObject({
    code: 0,
    err: expect.stringMatching(`watching.\n${CLOSED}$`),
  });
  expect((await terminal.run(["rooms"])).out).toMatch(new RegExp(`^${id} .*A room {2}closed$`, "m"));
  expect(await terminal.run(["say", id, "Hello?"])).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(/^meet-ai: .*operator has closed the room.*\n$/),
  });
  await close(id, false);
  await tail.prints(/The room is open again\.\n/);
  await terminal.run(["say", id, "Back"]);
  await tail.prints(/Back/);
  expect(tail.err.split(CLOSED)).toHaveLength(2);
});

it("a bridge runs no agent for what waited when it was closed, and answers what is asked when it is open again", async () => {
  await using bridged = await Bridged.begin(server, ["--bare", "--", "cat"]);
  const before = await bridged.ask("are you there?");
  await bridged.answerTo(before);
  bridged.bridge.kill();
  await bridged.bridge.closed;
  const seq = await bridged.ask("and now?");
  await close(bridged.room);
  await bridged.start();
  await bridged.bridge.prints(new RegExp(`Not answered: #${seq}, because this server's operator has closed the room`));
  expect(bridged.bridge.err).not.toContain(`Answering #${seq}`);
  await close(bridged.room, false);
  await bridged.answerTo(await bridged.ask("and again?"));
  expect((await bridged.answers()).map(({ replyTo }) => replyTo)).not.toContain(seq);
});
