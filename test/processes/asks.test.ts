/** Asks and answers while the server is killed, with eight people who press at the same moment; and in a backup that is restored. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Key, type Line, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");
const PEOPLE = 8;
const ASKS = 3;
/** Those who press all at once, and how often each of them. */
const CROWD = 100;
const PRESSES = 100;

const folder = mkdtempSync(join(tmpdir(), "meet-ai-asks-"));
let server: Server;
let visitor: Visitor;
let asker: Key;
let people: Key[];

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  asker = await visitor.makeKey();
  people = await Promise.all(Array.from({ length: PEOPLE }, () => visitor.makeKey()));
});

afterAll(async () => {
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const command = (name: "backup" | "restore", stateDir: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [`api/local/${name}.ts`, ...args], {
    cwd: ROOT,
    env: { ...process.env, STATE_DIR: stateDir },
  });

/** The ask's seq; `undefined` when it is refused. */
const ask = async (room: string, id: string, terms: object = {}) =>
  (await visitor.say(room, asker.key, "Go?", { id, as: "bot", ask: { options: ["yes", "no"], ...terms } })).body
    .seq as number;

/** Somebody presses; the status of the answer, and the seq of the answer that stands. */
async function press(
  room: string,
  key: string,
  target: number,
  option: string,
): Promise<[status: number, seq: number]> {
  const { status, body } = await visitor.call("POST", `/api/rooms/${room}/messages`, {
    key,
    body: { id: `press-${target}`, answer: { target, option } },
  });
  return [status, body.seq as number];
}

/** What has become of the presses of one who presses often: the refusals, and the answer if it is theirs. */
const outcomes = (line: Line) => [...line.errors, ...line.messages.filter(({ answer }) => answer)];

it("one answer stands over kill -9, everybody is told which, and it is the same after a backup was restored", async () => {
  const room = await visitor.makeRoom(asker.key);
  const decided = new Map<number, number>();
  for (let round = 0; round < ASKS; round++) {
    const target = await ask(room, `ask-${round}`);
    const optionOf = (index: number) => (index % 2 === 0 ? "yes" : "no");
    const pressed = people.map(({ key }, index) => press(room, key, target, optionOf(index)).catch(() => undefined));
    // Once somebody has been told, or none, or all: it may come at any moment.
    if (round > 0) await Promise.race(pressed);
    await server.kill();
    await Promise.all(pressed);
    await server.start();
    // Nobody knows what has become of it, so all press again, and so does the asker who asks.
    expect(await ask(room, `ask-${round}`)).toBe(target);
    const told = await Promise.all(people.map(({ key }, index) => press(room, key, target, optionOf(index))));
    const [seq] = new Set(told.map(([, seq]) => seq));
    expect(new Set(told.map(([, seq]) => seq)).size).toBe(1);
    expect(told.filter(([status]) => status < 300)).toHaveLength(1);
    expect(told.filter(([status]) => status === 409)).toHaveLength(PEOPLE - 1);
    decided.set(target, seq as number);
  }
  const log = await visitor.messages(room);
  expect(log.filter(({ answer }) => answer)).toHaveLength(ASKS);
  expect(log.flatMap(({ ask, seq }) => (ask ? [[seq, ask.closed?.seq]] : []))).toEqual([...decided]);

  const open = await ask(room, "open");
  const backup = join(folder, "backup");
  await command("backup", server.stateDir, backup);
  const restored = join(folder, "restored");
  await command("restore", restored, backup);
  await using other = await Server.start({ stateDir: restored });
  const stranger = new Visitor(other);
  const same = await stranger.messages(room);
  expect(same).toEqual(await visitor.messages(room));
  const [target, seq] = [...decided][0] as [number, number];
  const [first, second] = people as [Key, Key];
  const body = (target: number) => ({ id: "again", answer: { target, option: "yes" } });
  const late = await stranger.call("POST", `/api/rooms/${room}/messages`, { key: first.key, body: body(target) });
  expect([late.status, late.body.seq]).toEqual([409, seq]);
  const given = await stranger.call("POST", `/api/rooms/${room}/messages`, { key: second.key, body: body(open) });
  expect(given.status).toBe(201);
});

it("an ask ends in a room that was killed before and that nobody has spoken in since", async () => {
  const room = await visitor.makeRoom(asker.key);
  // An ask whose time is over before it has come is refused: on a busy machine the next one has more.
  let [end, time] = [0, 1_000];
  const seq = await until("it is asked in time", async () => {
    time *= 2;
    end = Date.now() + time;
    return ask(room, `short-${time}`, { until: new Date(end).toISOString() });
  });
  await server.kill();
  await until("its time is over", () => Date.now() > end);
  await server.start();
  await until("the room says so", async () => (await visitor.messages(room)).length > 1);
  expect((await visitor.messages(room)).map(({ kind, replyTo, ask }) => [kind, replyTo, ask?.closed])).toEqual([
    ["text", undefined, { expired: true, seq: 2 }],
    ["expiry", seq, undefined],
  ]);
  expect(await press(room, (people[0] as Key).key, seq, "yes")).toEqual([409, 2]);
});

it("one answer stands of ten thousand presses at once, and others talk on", async () => {
  const room = await visitor.makeRoom(asker.key);
  const target = await ask(room, "flooded");
  const crowd = await Promise.all(Array.from({ length: CROWD }, () => visitor.makeKey()));
  const lines = await Promise.all(crowd.map(({ key }) => visitor.enterAs(room, { key })));
  const bystander = await visitor.enterAs(room, { key: asker.key });
  for (let press = 0; press < PRESSES; press++) {
    for (const [index, line] of lines.entries()) {
      const option = (press + index) % 2 === 0 ? "yes" : "no";
      line.send({ type: "send", id: `press-${press}`, answer: { target, option } });
    }
  }
  const said = await bystander.outcome(bystander.say("I am still here."));
  expect(said).toMatchObject({ content: "I am still here." });

  // Each press is told what stands, unless somebody has pressed more often than anybody has to be told.
  for (const line of lines) {
    await until("all presses are answered", () => line.closed || outcomes(line).length >= PRESSES);
    if (line.closed) expect(line.closed.code).toBe(4400);
  }
  const answers = (await visitor.messages(room)).filter(({ answer }) => answer);
  expect(answers).toHaveLength(1);
  const refused = lines.flatMap((line) => line.errors);
  expect(new Set(refused.map(({ code, seq }) => `${code} ${seq}`))).toEqual(new Set([`conflict ${answers[0]?.seq}`]));
  for (const line of [...lines, bystander]) line.close();
});
