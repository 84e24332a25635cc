/** Messages that wait for a moderator, over the end of the runtime's process and while D1 is away (promises 1, 3 and 6). */

import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { READING, Server, WRITING } from "../server.ts";
import { until } from "../until.ts";
import { type Answer, expectStatus, type Key, Visitor } from "./visitor.ts";

let server: Server;
let visitor: Visitor;
let owner: Key;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  owner = await visitor.makeKey();
});

afterAll(() => server.remove());

/** Somebody from an address of their own whose message waits, and under which id it does. */
interface Author {
  readonly key: Key;
  readonly held: string;
  say(): Promise<Answer>;
}

let addresses = 0;

/** So many authors in a room of newcomers. */
const authorsIn = (room: string, count: number): Promise<Author[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const author = new Visitor(server, `198.51.100.${++addresses}`);
      const key = await author.makeKey();
      const say = () => author.say(room, key.key, `words of ${key.handle}`, { id: "one" });
      const answer = await say();
      expectStatus(answer, 202);
      return { key, held: answer.body.held as string, say };
    }),
  );

const decide = (room: string, { held }: Author, deed: "approve" | "refuse") =>
  visitor.call("POST", `/api/rooms/${room}/held/${held}/${deed}`, { key: owner.key });

async function waiting(room: string): Promise<string[]> {
  const { body } = await visitor.call("GET", `/api/rooms/${room}/held`, { key: owner.key });
  return body.held.map(({ id }: { id: string }) => id);
}

describe("messages that wait", () => {
  it("are there after kill -9, with their ids, and wait once however often they are sent", async () => {
    const room = await visitor.makeRoom(owner.key, { hold: "newcomers" });
    const authors = await authorsIn(room, 5);
    await server.kill();
    await server.start();
    expect((await waiting(room)).sort()).toEqual(authors.map(({ held }) => held).sort());
    for (const author of authors) expect((await author.say()).body.held).toBe(author.held);
    expect(await waiting(room)).toHaveLength(5);
  });

  it("are placed once or wait, when kill -9 comes between approvals: what was answered is kept", async () => {
    const room = await visitor.makeRoom(owner.key, { hold: "newcomers" });
    const authors = await authorsIn(room, 9);
    const [refused, ...others] = authors as [Author, ...Author[]];
    expectStatus(await decide(room, refused, "refuse"), 204);
    const approvals = others.map((author) => decide(room, author, "approve").catch(() => undefined));
    await Promise.race(approvals);
    await server.kill();
    const answers = await Promise.all(approvals);
    await server.start();
    expect(answers.some((answer) => answer?.status === 200)).toBe(true);

    const placed = await visitor.messages(room);
    const left = await waiting(room);
    for (const [index, { key, held }] of others.entries()) {
      const seqs = placed.filter(({ sender }) => sender === key.handle).map(({ seq }) => seq);
      expect(seqs.length + left.filter((id) => id === held).length).toBe(1);
      const answer = answers[index];
      if (answer?.status === 200) expect(seqs).toEqual([answer.body.seq]);
    }

    const again = await Promise.all(others.map((author) => decide(room, author, "approve")));
    for (const answer of again) expectStatus(answer, 200);
    const all = await visitor.messages(room);
    expect(all.map(({ seq }) => seq)).toEqual(others.map((_, index) => index + 1));
    expect(new Set(all.map(({ sender }) => sender)).size).toBe(others.length);
    for (const { say } of others) expectStatus(await say(), 200);
    expectStatus(await refused.say(), 403);
    expectStatus(await decide(room, refused, "approve"), 409);
  });

  it("are held, approved and refused while D1 is away, which hears of it afterwards", async () => {
    const room = await visitor.makeRoom(owner.key, { hold: "newcomers" });
    const [approved, refused, left] = (await authorsIn(room, 3)) as [Author, Author, Author];
    const database = new DatabaseSync(server.databaseFile, WRITING);
    database.exec("BEGIN IMMEDIATE");
    try {
      expectStatus(await decide(room, approved, "approve"), 200);
      expectStatus(await decide(room, refused, "refuse"), 204);
      const another = await left.say();
      expect([another.status, another.body.held]).toEqual([202, left.held]);
    } finally {
      database.exec("ROLLBACK");
      database.close();
    }
    const states = () => {
      const copy = new DatabaseSync(server.databaseFile, READING);
      const query = `SELECT value ->> 'id' AS id, value ->> 'state' AS state FROM room_state, json_each(body)
        WHERE room_id = ? AND part = 'held'`;
      const rows = copy.prepare(query).all(room) as { id: string; state: string }[];
      copy.close();
      return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
    };
    const expected = { [approved.held]: "approved", [refused.held]: "refused", [left.held]: "waiting" };
    await until(
      "D1 has followed",
      () => JSON.stringify(Object.entries(states()).sort()) === JSON.stringify(Object.entries(expected).sort()),
      90_000,
    );
  });
});
