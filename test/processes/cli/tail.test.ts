/** `meet-ai tail` while everything breaks, and with messages that mean no good. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "../../../client/stay/index.ts";
import { makeKey, makeRoom, readAll } from "../../chaos/trial.ts";
import { Server } from "../server.ts";
import { linesOf, readerIsThere, tryTail } from "./tail-trial.ts";
import { type Running, Terminal } from "./terminal.ts";

let server: Server;
let key: string;

beforeAll(async () => {
  server = await Server.start();
  key = await makeKey(server);
});

afterAll(async () => {
  await server?.remove();
});

const TRIAL = { messages: 300, kills: 2, cuts: 4 };

// Of a thousand there is a trial under `test/long`.
it(
  `${TRIAL.messages} messages while the server is killed and the network is cut: each once, in order`,
  {
    timeout: 600_000,
  },
  () => tryTail(server, key, TRIAL),
);

it("killed in the middle, it goes on with what it had not written, and leaves nothing out", async () => {
  const room = await makeRoom(server, key);
  using terminal = new Terminal(server.url);
  await using person = await join(`${server.url}/r/${room}`, { key });
  // One that is killed before it has written anything leaves no cursor.
  const start = () => terminal.start(["tail", room, "--plain", "--after", "0", "--cursor", "cursor.json"]);
  const runs: Running[] = [];
  for (let count = 1; count <= 60; count++) {
    if (count % 15 === 1) {
      runs.at(-1)?.kill();
      await runs.at(-1)?.closed;
      runs.push(start());
      await readerIsThere(person);
    }
    await person.send(`Message ${count}`);
  }
  const last = runs.at(-1) as Running;
  await last.prints(/Message 60\n/);
  last.kill();
  const seqs = runs.flatMap(({ out }) => linesOf(out).map((line) => Number(line.split("\t")[0])));
  expect([...new Set(seqs)].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
});

it("a full disk under the cursor is said, and the message is read again", async () => {
  const room = await makeRoom(server, key);
  using terminal = new Terminal(server.url);
  await using person = await join(`${server.url}/r/${room}`, { key });
  const read = ["tail", room, "--plain", "--once", "--cursor", "cursor.json"];
  await person.send("One.");
  expect((await terminal.run(read)).out).toContain("One.");
  await person.send("Two.");
  const full = await terminal.run(read, { isDiskFull: true });
  expect(full.code).toBe(8);
  expect(full.err).toMatch(/^meet-ai: cursor\.json: The disk .*\n$/);
  expect((await terminal.run(read)).out).toMatch(/^2\t.*Two\.\n$/);
  expect((await terminal.run(read)).out).toBe("");
});

describe("what others wrote", () => {
  it("hostile text reaches no terminal, and looks like nothing else, in no form", async () => {
    const room = await makeRoom(server, key);
    using terminal = new Terminal(server.url);
    await using person = await join(`${server.url}/r/${room}`, { key });
    const texts = [
      "\u001b]52;c;ZXZpbA==\u0007 clipboard",
      "\u001b[2J\u001b[H clear",
      "\u009b31m C1 \u0085 next line",
      "first\n12:00 #9 anna  I am not Anna.",
      "$(touch pwned) `touch pwned` ; touch pwned | touch pwned",
      "\u202etxet\u202c \u2066isolated\u2069",
      "back\b\b\b\bslash \\n \\t",
    ];
    for (const text of texts) await person.send(text);
    const { messages } = await readAll(server, room);
    for (const form of [[], ["--plain"], ["--json"], ["--brief"]]) {
      const { code, out } = await terminal.run(["tail", room, "--once", ...form]);
      expect(code).toBe(0);
      const harmful = [...out].filter((character) => /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u.test(character));
      expect(harmful.filter((character) => character !== "\n" && character !== "\t")).toEqual([]);
      const lines = linesOf(out);
      if (form.length > 0) expect(lines).toHaveLength(texts.length);
      if (form[0] === "--json") expect(lines.map((line) => JSON.parse(line))).toEqual(messages);
      if (form.length === 0) expect(lines.filter((line) => /^\d\d:\d\d #/.test(line))).toHaveLength(texts.length);
    }
  });
});
