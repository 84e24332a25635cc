/** Quotas: exact, one for a principal over all rooms and ways in, and not to be got round by names or addresses. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOSE, type ErrorFrame, type Message } from "../../../party/protocol.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { type Answer, newGuestSecret, newRoomId, Visitor } from "./visitor.ts";

/** As they are in wrangler.toml, but for the sockets, of which that many would only take time. */
const QUOTAS = {
  GUEST_MESSAGES_PER_MINUTE: "5",
  KEY_MESSAGES_PER_MINUTE: "60",
  KEYS_PER_DAY: "10",
  ROOMS_PER_DAY: "5",
  SOCKETS_PER_ADDRESS: "12",
};

let server: Server;
let addresses = 0;

beforeAll(async () => {
  server = await Server.start({ vars: QUOTAS });
});

afterAll(() => server.remove());

/** Somebody at an address from which nobody has called yet. */
const stranger = () => new Visitor(server, `198.51.${++addresses >> 8}.${addresses & 255}`);

const isRefused = (outcome: Message | ErrorFrame): outcome is ErrorFrame => "code" in outcome;

const accepted = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201).length;

describe("a key's messages", () => {
  it("are counted together: fifty rooms at once, over sockets and HTTP, get sixty in a minute", async () => {
    const keepers = await Promise.all(Array.from({ length: 10 }, () => stranger().makeKey()));
    const someone = stranger();
    const rooms = (await Promise.all(keepers.map(({ key }) => fiveRooms(someone, key)))).flat();
    expect(rooms.length).toBe(50);
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const lines = await Promise.all(rooms.slice(0, 25).map((room) => visitor.enterAs(room, { key })));
    const overSockets = lines.flatMap((line) => [0, 1, 2].map(() => line.outcome(line.say("hello"))));
    const overHttp = rooms.slice(25).flatMap((room) => [0, 1, 2].map(() => visitor.say(room, key, "hello")));
    const outcomes = await Promise.all(overSockets);
    const answers = await Promise.all(overHttp);
    const taken = outcomes.filter((outcome) => !isRefused(outcome)).length + accepted(answers);
    expect(taken).toBeLessThanOrEqual(60);
    // A room of a busy machine may take too long to give a lease back, of six places: they count as taken, and the log says so.
    const kept = () => server.output.match(/"quota\.lease_not_recalled"/g) ?? [];
    await until("all places are taken", () => taken >= 60 - 6 * kept().length);

    const errors = outcomes.filter(isRefused);
    for (const error of errors) {
      expect(error).toMatchObject({ code: "rate_limited" });
      expect(error.retryAfter).toSatisfy(
        (seconds: number) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 60,
      );
    }
    const refused = answers.filter(({ status }) => status !== 201);
    for (const { status, headers, body } of refused) {
      expect(status).toBe(429);
      expect(body.error.code).toBe("rate_limited");
      expect(headers.get("retry-after")).toMatch(/^([1-9]|[1-5]\d|60)$/);
      expect(headers.get("ratelimit-policy")).toBe('"messages";q=60;w=60');
      expect(headers.get("ratelimit")).toBe(`"messages";r=0;t=${headers.get("retry-after")}`);
    }
    // What was said in the rooms is what was accepted.
    const heads = await Promise.all(rooms.map(async (room) => (await visitor.messages(room)).length));
    expect(heads.reduce((sum, head) => sum + head, 0)).toBe(taken);
    for (const line of lines) line.close();
  });

  it("cost nothing again when they are repeated, even with nothing left", async () => {
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    const line = await visitor.enterAs(room, { key });
    const ids = Array.from({ length: 60 }, (_, count) => line.say(`message ${count}`));
    for (const id of ids) expect(isRefused(await line.outcome(id))).toBe(false);
    const extra = line.say("one more");
    expect(await line.outcome(extra)).toMatchObject({ code: "rate_limited" });
    for (const [count, id] of ids.entries()) line.say(`message ${count}`, { id });
    for (const id of ids) await line.heard("ack", (ack) => ack.id === id);
    const again = await visitor.say(room, key, "message 0", { id: ids[0] });
    expect(again.status).toBe(200);
    expect((await visitor.say(room, key, "something else", { id: ids[0] })).status).toBe(409);
    expect((await visitor.say(room, key, "new")).status).toBe(429);
    expect((await visitor.messages(room)).length).toBe(60);
    line.close();
  });

  it("say over HTTP what is left of them", async () => {
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    for (const left of [59, 58, 57]) {
      const { headers } = await visitor.say(room, key, "hello");
      expect(headers.get("ratelimit-policy")).toBe('"messages";q=60;w=60');
      expect(headers.get("ratelimit")).toBe(`"messages";r=${left};t=60`);
    }
  });

  it("are not more for a key that is rotated, or for its agents", async () => {
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key, { loopGuard: 0 });
    const answers = await Promise.all(
      Array.from({ length: 65 }, (_, n) => visitor.say(room, key, "x", { as: `agent-${n}` })),
    );
    expect(accepted(answers)).toBe(60);
    const { body } = await visitor.call("POST", "/api/keys/me/rotate", { key });
    expect((await visitor.say(room, body.key, "x")).status).toBe(429);
    expect((await visitor.say(room, (await visitor.swapKey(body.key)).key, "x")).status).toBe(429);
  });

  it("may be deleted with nothing left, and so may be read", async () => {
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    const answers = await Promise.all(Array.from({ length: 61 }, () => visitor.say(room, key, "x")));
    expect(accepted(answers)).toBe(60);
    expect((await visitor.call("DELETE", `/api/rooms/${room}/messages/1`, { key })).status).toBe(204);
    for (let count = 0; count < 100; count++) expect((await visitor.messages(room, "limit=1")).length).toBe(1);
  });
});

describe("guests' messages", () => {
  it("are counted by address: five in a minute, however many names and rooms", async () => {
    const keeper = stranger();
    const rooms = await fiveRooms(keeper, (await keeper.makeKey()).key);
    const visitor = stranger();
    const lines = await Promise.all(
      [...rooms, ...rooms].map((room) => visitor.enterAs(room, { guest: newGuestSecret() })),
    );
    const outcomes = await Promise.all(lines.map((line) => line.outcome(line.say("hello"))));
    expect(outcomes.filter((outcome) => !isRefused(outcome)).length).toBe(5);
    const other = await stranger().enterAs(rooms[0] as string, { guest: newGuestSecret() });
    expect(isRefused(await other.outcome(other.say("from elsewhere")))).toBe(false);
    for (const line of [...lines, other]) line.close();
  });

  it("are counted by /64: the next address of the same household has none left", async () => {
    const secret = newGuestSecret();
    const outcomes: (Message | ErrorFrame)[] = [];
    for (let count = 0; count < 8; count++) {
      const line = await new Visitor(server, `2001:db8:77:1:${count}:${count}:0:1`).enterAs("lobby", { guest: secret });
      outcomes.push(await line.outcome(line.say("hello")));
      line.close();
    }
    expect(outcomes.filter((outcome) => !isRefused(outcome)).length).toBe(5);
  });

  it("leave an address to its keys", async () => {
    const visitor = stranger();
    const guest = await visitor.enterAs("lobby", { guest: newGuestSecret() });
    for (let count = 0; count < 6; count++) await guest.outcome(guest.say(`${count}`));
    expect(guest.errors.length).toBe(1);
    const { key } = await visitor.makeKey();
    expect((await visitor.say("lobby", key, "with a key")).status).toBe(201);
    guest.close();
  });
});

describe("drafts", () => {
  it("may not be begun oftener than messages may be sent", async () => {
    const keeper = stranger();
    const [room] = (await fiveRooms(keeper, (await keeper.makeKey()).key)) as [string];
    const visitor = stranger();
    const watcher = await keeper.enter(room);
    for (let turn = 0; turn < 12; turn++) {
      const line = await visitor.enterAs(room, { guest: newGuestSecret() });
      line.send({ type: "draft", id: "advert", append: `buy ${turn}` });
      await line.settled();
      line.close();
    }
    await watcher.settled();
    const begun = new Set(watcher.text.match(/buy \d+/g));
    expect(begun.size).toBeLessThanOrEqual(5);
    expect(begun.size).toBeGreaterThan(0);
  });

  it("are counted, too, where two connections of one author take turns at one", async () => {
    const keeper = stranger();
    const [room] = (await fiveRooms(keeper, (await keeper.makeKey()).key)) as [string];
    const visitor = stranger();
    const guest = newGuestSecret();
    const watcher = await keeper.enter(room);
    const lines = [await visitor.enterAs(room, { guest }), await visitor.enterAs(room, { guest })];
    for (let turn = 0; turn < 12; turn++) {
      const line = lines[turn % 2] as (typeof lines)[number];
      line.send({ type: "draft", id: "advert", append: `buy ${turn}` });
      await line.settled();
      await watcher.settled();
    }
    // The one that has begun last may go on with it.
    expect(watcher.text.match(/"end":true/g)?.length ?? 0).toBeLessThan(5);
    expect(watcher.text).toContain("buy 4");
  });
});

describe("new keys", () => {
  it("are ten a day for an address, and it is told so", async () => {
    const visitor = stranger();
    const answers: Answer[] = [];
    for (let count = 0; count < 12; count++) answers.push(await visitor.call("POST", "/api/keys"));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(201), 429, 429]);
    expect(answers[0]?.headers.get("ratelimit")).toBe('"keys";r=9;t=86400');
    const refused = answers[10] as Answer;
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(86_000);
    expect(refused.headers.get("ratelimit-policy")).toBe('"keys";q=10;w=86400');
    expect(refused.headers.get("ratelimit")).toMatch(/^"keys";r=0;t=\d{5}$/);
    expect((await stranger().call("POST", "/api/keys")).status).toBe(201);
  });

  it("are ten for a thousand addresses of one /64", async () => {
    const statuses: number[] = [];
    for (let round = 0; round < 20; round++) {
      const some = Array.from({ length: 50 }, (_, index) => {
        const host = (round * 50 + index + 1).toString(16);
        return new Visitor(server, `2001:db8:1:2:${host}:${host}::${host}`).call("POST", "/api/keys");
      });
      statuses.push(...(await Promise.all(some)).map(({ status }) => status));
    }
    expect(statuses.length).toBe(1_000);
    expect(statuses.filter((status) => status === 201).length).toBe(10);
    expect(statuses.filter((status) => status === 429).length).toBe(990);
    expect((await new Visitor(server, "2001:db8:1:3::1").call("POST", "/api/keys")).status).toBe(201);
  });

  it("are counted for an IPv4 address however it is written, and never for one that a header claims", async () => {
    const forms = [
      "203.0.113.9",
      "::ffff:203.0.113.9",
      "::FFFF:203.0.113.9",
      "::ffff:cb00:7109",
      "0:0:0:0:0:ffff:203.0.113.9",
    ];
    const statuses: number[] = [];
    for (let count = 0; count < 15; count++) {
      const elsewhere = `198.18.0.${count}`;
      const { status } = await new Visitor(server).call("POST", "/api/keys", {
        headers: {
          "x-forwarded-for": `${elsewhere}, ${forms[count % forms.length]}`,
          "cf-connecting-ip": elsewhere,
          "mf-cf-blob": JSON.stringify({ clientIp: `${elsewhere}:1` }),
          forwarded: `for=${elsewhere}`,
          "x-real-ip": elsewhere,
          "true-client-ip": elsewhere,
          "x-client-ip": elsewhere,
          "cf-connecting-ipv6": "2001:db8::1",
          "cf-pseudo-ipv4": elsewhere,
        },
      });
      statuses.push(status);
    }
    expect(statuses.filter((status) => status === 201).length).toBe(10);
  });
});

describe("new rooms", () => {
  it("are five a day for a key, and one whose id is taken is none of them", async () => {
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const make = (id?: string) => visitor.call("POST", "/api/rooms", { key, body: { name: "A room", id } });
    for (let count = 0; count < 10; count++) expect((await make("lobby")).status).toBe(409);
    const answers: Answer[] = [];
    for (let count = 0; count < 7; count++) answers.push(await make());
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 429, 429]);
    expect(answers[5]?.headers.get("ratelimit-policy")).toBe('"rooms";q=5;w=86400');
    const { body } = await visitor.call("POST", "/api/keys/me/rotate", { key });
    expect((await visitor.call("POST", "/api/rooms", { key: body.key, body: { name: "x" } })).status).toBe(429);
  });

  it("are five for fifty that are asked for at once", async () => {
    const visitor = stranger();
    const { key } = await visitor.makeKey();
    const asked = Array.from({ length: 50 }, () => visitor.call("POST", "/api/rooms", { key, body: { name: "x" } }));
    expect(accepted(await Promise.all(asked))).toBe(5);
  });
});

describe("the day's quotas", () => {
  it("survive a crash", async () => {
    const visitor = stranger();
    const keys = await Promise.all(Array.from({ length: 10 }, () => visitor.makeKey()));
    const key = keys[0]?.key as string;
    await fiveRooms(visitor, key);
    await server.kill();
    await server.start();
    expect((await visitor.call("POST", "/api/keys")).status).toBe(429);
    expect((await visitor.call("POST", "/api/rooms", { key, body: { name: "x" } })).status).toBe(429);
  });
});

describe("watching", () => {
  it("is free and unlimited, with nothing left", async () => {
    const visitor = stranger();
    const guest = await visitor.enterAs("lobby", { guest: newGuestSecret() });
    for (let count = 0; count < 6; count++) await guest.outcome(guest.say(`${count}`));
    expect(guest.errors.at(-1)?.code).toBe("rate_limited");
    for (let count = 0; count < 10; count++) {
      const line = await visitor.enter("lobby");
      expect((await line.welcomed()).type).toBe("welcome");
      line.close();
    }
    const pages = await Promise.all(
      Array.from({ length: 200 }, () => visitor.call("GET", "/api/rooms/lobby/messages")),
    );
    expect(pages.every(({ status }) => status === 200)).toBe(true);
    guest.close();
  });

  it("by one address takes so many of a room's sockets and no more, and leaves others theirs", async () => {
    const keeper = stranger();
    const [room, other] = (await fiveRooms(keeper, (await keeper.makeKey()).key)) as [string, string];
    const crowd = Array.from({ length: 12 }, (_, index) => new Visitor(server, `2001:db8:88:8:${index + 1}::1`));
    const lines = await Promise.all(crowd.map((visitor) => visitor.enter(room)));
    await Promise.all(lines.map((line) => line.welcomed()));
    const last = new Visitor(server, "2001:db8:88:8:ffff::1");
    const refused = await last.enter(room);
    expect(await refused.refused()).toMatchObject({ code: "rate_limited", retryAfter: 60 });
    expect(await refused.hasClosed()).toMatchObject({ code: CLOSE.tryLater });
    for (const line of [await last.enter(other), await stranger().enter(room)]) {
      expect((await line.welcomed()).type).toBe("welcome");
      line.close();
    }
    lines[0]?.close();
    await until("there is room for another", async () => {
      const next = await last.enter(room);
      const [frame] = await until("an answer", () => next.frames.length > 0 && next.frames);
      next.close();
      return frame?.type === "welcome";
    });
    for (const line of lines) line.close();
  });
});

function fiveRooms(visitor: Visitor, key: string): Promise<string[]> {
  const ids = Array.from({ length: 5 }, () => newRoomId());
  return Promise.all(
    ids.map(async (id) => {
      const { status, text } = await visitor.call("POST", "/api/rooms", { key, body: { id, name: id } });
      if (status !== 201) throw new Error(`No room: ${status} ${text}`);
      return id;
    }),
  );
}
