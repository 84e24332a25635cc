/** The examples that bridge agents, run as they are printed: a model behind an endpoint, and a crew of three. */

import { copyFileSync, readFileSync } from "node:fs";
import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join as pathOf } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EmptyFolder } from "../empty-folder.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { Bridged } from "./bridged.ts";

const ROOT = pathOf(import.meta.dirname, "../../..");
const MODEL = pathOf(ROOT, "docs/examples/model.mjs");
const CREW = pathOf(ROOT, "docs/examples/review-crew.sh");

let server: Server;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server?.remove();
});

/** What an endpoint that speaks OpenAI's protocol sends: events whose pieces end in the middle of lines and characters. */
function wireFormat(words: readonly string[], isWhole: boolean): Uint8Array {
  const event = (choices: object[], usage: object | null = null) =>
    `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_790_000_000, model: "test", choices, usage })}\n\n`;
  const choice = (delta: object, finish_reason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason },
  ];
  return new TextEncoder().encode(
    [
      event(choice({ role: "assistant", content: "" })),
      ": keep-alive\n\n",
      ...words.map((content) => event(choice({ content }))),
      ...(isWhole ? [event(choice({}, "stop")), event([], { total_tokens: 9 }), "data: [DONE]\n\n"] : []),
    ].join(""),
  );
}

/** An endpoint that notes what it is asked. */
async function endpoint(answer: { status?: number; words?: string[]; isWhole?: boolean; endsAfter?: Promise<void> }) {
  const asked: {
    request: IncomingMessage;
    body: { stream: boolean; model: string; messages: { content: string }[] };
  }[] = [];
  const http: HttpServer = createServer(async (request, response) => {
    asked.push({ request, body: JSON.parse(await text(request)) });
    const { status = 200, words = [], isWhole = true, endsAfter } = answer;
    if (status !== 200) {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ error: { message: "Incorrect API key provided.", type: "invalid_request_error" } }),
      );
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const bytes = wireFormat(words, isWhole);
    for (let at = 0; at < bytes.length; at += 7) {
      if (at + 7 >= bytes.length) await endsAfter;
      response.write(bytes.subarray(at, at + 7));
      await pause(1);
    }
    response.end();
  });
  await new Promise<void>((resolve) => http.listen(0, "localhost", resolve));
  const env = {
    OPENAI_BASE_URL: `http://localhost:${(http.address() as AddressInfo).port}/v1`,
    OPENAI_API_KEY: "sk-test",
    OPENAI_MODEL: "test",
  };
  return { asked, env, [Symbol.dispose]: () => http.close() };
}

const bridge = (env: Record<string, string>) =>
  Bridged.begin(server, ["--cooldown", "0", "--", process.execPath, MODEL], env);

it("a model behind an endpoint that speaks OpenAI's protocol answers as it streams", async () => {
  const { promise: seen, resolve: see } = Promise.withResolvers<void>();
  using model = await endpoint({ words: ["Grüße, ", "漢字 ", "👍🏽 ", "done."], endsAfter: seen });
  await using bridged = await bridge(model.env);
  const seq = await bridged.ask("hello?");
  await bridged.shows("Grüße");
  see();
  expect(await bridged.answerTo(seq)).toBe("Grüße, 漢字 👍🏽 done.");
  const [{ request, body } = {}] = model.asked as Partial<(typeof model.asked)[number]>[];
  expect(request?.url).toBe("/v1/chat/completions");
  expect(request?.headers.authorization).toBe("Bearer sk-test");
  expect(body).toMatchObject({ stream: true, model: "test", messages: [{ role: "user" }] });
  expect(body?.messages[0]?.content).toContain("hello?");
});

it.each([
  ["refuses", { status: 401 }, /^\(No more comes: node ended with code 1\.\)$/, /401 .*Incorrect API key/],
  ["breaks off", { words: ["Half"], isWhole: false }, /^Half\n\n\(No more comes: /, /The answer broke off/],
])("an endpoint that %s is said in the room, and why only in the terminal", async (_, answer, said, shown) => {
  using model = await endpoint(answer);
  await using bridged = await bridge(model.env);
  expect(await bridged.answerTo(await bridged.ask("hello?"))).toMatch(said);
  await bridged.bridge.prints(shown);
});

it("a crew of three hands work from one to the other, and ends with its script", async () => {
  await using bridged = await Bridged.begin(server, ["--", "cat"]);
  bridged.bridge.interrupt();
  using folder = new EmptyFolder();
  copyFileSync(CREW, pathOf(folder.path, "review-crew.sh"));
  folder.write("bin/meet-ai", `#!/bin/sh\nexec ${process.execPath} ${ROOT}/client/cli/main.ts "$@"\n`);
  // Who is asked hands on to who comes next.
  const hand = (to: string) => `#!/bin/sh\ncat > /dev/null\necho "Over to @${bridged.owner.me}/${to}."\n`;
  folder.write("writer", hand("reviewer"));
  folder.write("reviewer", hand("tester"));
  folder.write("tester", "#!/bin/sh\ncat > /dev/null\necho All is green.\n");
  const crew = folder.paste(
    `chmod +x bin/* writer reviewer tester; export PATH=$PWD/bin:$PATH; exec sh review-crew.sh ${bridged.room}`,
    {
      MEET_AI_HOST: server.url,
      MEET_AI_KEY: bridged.key,
      HOME: folder.path,
      WRITER: "./writer",
      REVIEWER: "./reviewer",
      TESTER: "./tester",
    },
  );
  await until("all three are there", () => (crew.errors.match(/here as/g) ?? []).length === 3);
  const [, asPrinted = ""] = /say in the room: "(.+)"/.exec(readFileSync(CREW, "utf8")) ?? [];
  await bridged.owner.send(asPrinted.replaceAll("you/", `${bridged.owner.me}/`));
  const green = async () => (await bridged.answers(`${bridged.owner.me}/tester`)).length;
  await until("the tester has the last word", async () => (await green()) === 1);
  const log = await bridged.log();
  expect(log.map(({ sender }) => sender.split("/")[1])).toEqual([undefined, "writer", "reviewer", "tester"]);
  expect(log.map(({ replyTo }) => replyTo)).toEqual([undefined, 1, 2, 3]);
});
