/** D1 away, a disk full, and what people notice of it (promise 6). */

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { CLOSE } from "../../party/protocol.ts";
import { eventsOf, linesOf, unlogged } from "../logged.ts";
import { SiteSigner } from "../site-signer.ts";
import { TestSite } from "./site.ts";
import {
  admit,
  alarmOf,
  archive,
  archived,
  evict,
  expectStatus,
  longRoom,
  ownerWithRoom,
  refusalOf,
  stubOf,
  Visitor,
  withLog,
  without,
} from "./visitor.ts";

describe("with D1 away", () => {
  /** All of it: who asks anything about rooms, keys or messages gets an error. */
  const withoutD1 = <T>(work: () => Promise<T>): Promise<T> => {
    return without("packs", () => without("api_keys", () => without("rooms", work)));
  };

  it("people go on talking, new sockets open, and the archive catches up by itself", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("before");
    await line.messages(1);
    await withoutD1(async () => {
      line.say("during");
      expect(await line.messages(1)).toMatchObject([{ seq: 2 }]);
      const newcomer = await new Visitor().connect(room);
      expect((await newcomer.welcome()).messages).toMatchObject([{ id: "before" }, { id: "during" }]);
      const posted = await owner.send("POST", `/api/rooms/${room}/messages`, { id: "posted", content: "still here" });
      expect(posted.status).toBe(201);
      expect(await newcomer.messages(1)).toMatchObject([{ seq: 3, id: "posted" }]);
      await archive(room);
      const state = await owner.json<{ archive: unknown }>(`/api/rooms/${room}`);
      // Once, and again a second later.
      expect(state.archive).toMatchObject({ lag: 3, failures: expect.toSatisfy((failures) => failures > 0) });
    });
    await archive(room);
    await expect.poll(async () => (await archived(room)).map(({ id }) => id)).toEqual(["before", "during", "posted"]);
  });

  it("pages are read from the room", async () => {
    const { owner, room } = await ownerWithRoom();
    for (const content of ["a", "b", "c"]) await owner.send("POST", `/api/rooms/${room}/messages`, { content });
    await archive(room);
    await withoutD1(async () => {
      for (const query of ["", "?after=0", "?before=4"]) {
        expect(await new Visitor().json(`/api/rooms/${room}/messages${query}`)).toMatchObject({
          messages: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
        });
      }
    });
  });

  it("a room that slept or crashed wakes without it", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { id: "a", content: "a" });
    const line = await owner.enter(room);
    await withoutD1(async () => {
      await evict(stubOf(room));
      line.say("b");
      expect(await line.messages(1)).toMatchObject([{ seq: 2 }]);
      await abortAllDurableObjects();
      const welcome = await (await new Visitor().connect(room)).welcome();
      expect(welcome.messages).toMatchObject([{ id: "a" }, { id: "b" }]);
    });
  });

  it("a message is kept however often the archive fails, and its alarm is set again each time", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await without("packs", async () => {
      // The runtime by itself would give up after six.
      for (let attempt = 0; attempt < 8; attempt++) {
        await archive(room);
        await expect.poll(() => alarmOf(room)).toBeTypeOf("number");
      }
    });
    await archive(room);
    expect(await archived(room)).toHaveLength(1);
  });

  it("a room that nobody has been in yet says that it can't be reached, and takes no message", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.fetch("/api/keys/me");
    await withoutD1(async () => {
      const line = await new Visitor().connect(room);
      expect(await line.next("error")).toMatchObject({ code: "unavailable", retryAfter: expect.any(Number) });
      expect(await line.closeCode()).toBe(1013);
      const write = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
      expect(await refusalOf(write)).toEqual([503, "unavailable"]);
    });
  });

  it("a key that was never seen can't be checked, which is not the same as refused", async () => {
    const { room } = await ownerWithRoom();
    const owner = await Visitor.withKey();
    await new Visitor().connect(room);
    await without("api_keys", async () => {
      const write = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
      expect(await refusalOf(write)).toEqual([503, "unavailable"]);
      const line = await owner.connect(room);
      line.send({ type: "hello", key: owner.key as string });
      expect(await line.next("error")).toMatchObject({ code: "unavailable", retryAfter: 5, about: "hello" });
      expect(await line.closeCode()).toBe(CLOSE.tryLater);
    });
    expect((await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" })).status).toBe(201);
  });

  it("a key that was used before is let into a members' room, and one that was revoked is not", async () => {
    const { owner, room } = await ownerWithRoom({ access: "members" });
    const other = await Visitor.withKey();
    await admit(owner, room, other);
    await other.enter(room);
    await owner.enter(room);
    await expectStatus(await other.fetch("/api/keys/me", { method: "DELETE" }), 204);
    await withoutD1(async () => {
      await abortAllDurableObjects();
      await owner.enter(room);
      const refused = await other.connect(room);
      refused.send({ type: "hello", key: other.key as string });
      expect(await refused.next("error")).toMatchObject({ code: "unauthorized" });
      expect(await refused.closeCode()).toBe(CLOSE.unauthorized);
    });
  });

  it("a site's user is let in by what is known of the site, also into a room where its users have not been", async () => {
    const site = await TestSite.register();
    const [room, other, third] = [await site.room(), await site.room(), await site.room()];
    await site.enter(room, "anna");
    for (const id of [other, third]) await (await new Visitor().connect(id)).welcome();
    await withoutD1(async () => {
      const line = await site.enter(other, "anna");
      line.say("during");
      expect(await line.messages(1)).toMatchObject([{ id: "during" }]);
    });
    // The room has not heard of this, but the site's own object has.
    const { jwk } = await SiteSigner.of(site.name, "EdDSA", "next");
    await site.enter(room, "anna");
    await expectStatus(await site.put({ keys: [jwk], origins: [] }), 200);
    await withoutD1(async () => {
      const line = await site.hello(third, "anna");
      expect(await line.next("error")).toMatchObject({ code: expect.stringMatching(/unavailable|unauthorized/) });
      await line.closeCode();
    });
  });
});

describe("while a backup is restored into D1", () => {
  it("no room is opened, listed or made, and each refusal says why", async () => {
    const { owner, room } = await ownerWithRoom();
    const other = await ownerWithRoom();
    await (await owner.enter(room)).say("before");
    await env.DB.prepare("UPDATE secrets SET name = 'aside' WHERE name = 'guest_pepper'").run();
    const logs = (["error", "warn"] as const).map((level) => vi.spyOn(console, level).mockReturnValue());
    const newcomer = await Visitor.withKey();
    for (const [method, path, body] of [
      ["GET", "/api/rooms", undefined],
      ["POST", "/api/rooms", { name: "New" }],
      ["PATCH", `/api/rooms/${other.room}`, { name: "Other" }],
    ] as const) {
      const caller = method === "PATCH" ? other.owner : newcomer;
      const response = body ? await caller.send(method, path, body) : await caller.fetch(path);
      const { error } = await response.json<{ error: { message: string } }>();
      expect([response.status, error.message]).toEqual([503, expect.stringContaining("being restored")]);
    }
    const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };
    const headers = { authorization: `Operator ${OPERATOR_SECRET}` };
    const backedUp = await newcomer.fetch("/api/operator/directory", { headers });
    expect(await refusalOf(backedUp)).toEqual([503, "unavailable"]);
    // Nobody has been in the other one yet: it must not begin with what is half there.
    const refused = await other.owner.send("POST", `/api/rooms/${other.room}/messages`, { content: "early" });
    expect(await refusalOf(refused)).toEqual([503, "unavailable"]);
    await env.DB.prepare("UPDATE secrets SET name = 'guest_pepper' WHERE name = 'aside'").run();
    for (const log of logs) log.mockRestore();
    const said = await other.owner.send("POST", `/api/rooms/${other.room}/messages`, { content: "now" });
    expect(said.status).toBe(201);
  });
});

describe("with D1 at a limit", () => {
  /** Whatever is written into these tables is refused in these words, and what is read is not. */
  async function refusing<T>(words: string, work: () => Promise<T>): Promise<T> {
    const tables = ["packs", "api_keys", "rooms"];
    for (const table of tables) {
      await env.DB.exec(
        `CREATE TRIGGER limit_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, "${words}"); END`,
      );
    }
    try {
      return await work();
    } finally {
      for (const table of tables) await env.DB.exec(`DROP TRIGGER limit_${table}`);
    }
  }

  it("people go on talking, the owner is told, and what was said arrives once when there is room again", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const log = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await refusing("Exceeded maximum DB size.", async () => {
      for (const content of ["one", "two"]) line.say(content);
      await line.messages(2);
      for (let rung = 0; rung < 5; rung++) await archive(room);
      // Asked once, and not for each ring and each deletion.
      await expectStatus(await owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" }), 204);
      const state = await owner.json<{ archive: { hold: { since: string; placesLeft: number } } }>(
        `/api/rooms/${room}`,
      );
      expect(state.archive).toMatchObject({
        lag: 3,
        failures: 1,
        refused: [],
        hold: { limit: "full", lastsUntil: null },
      });
      expect(state.archive.hold.placesLeft).toBeGreaterThan(100);
      expect(eventsOf(log).filter((event) => event === "archive.database_full")).toHaveLength(1);
      // Also after a sleep.
      await evict(stubOf(room));
      await archive(room);
      line.say("three");
      await line.messages(1);
      const woken = await owner.json<{ archive: unknown }>(`/api/rooms/${room}`);
      expect(woken.archive).toMatchObject({
        lag: 4,
        failures: 0,
        hold: { limit: "full", since: state.archive.hold.since },
      });
    });
    log.mockRestore();
    await runInDurableObject(stubOf(room), (_, { storage }) => {
      const kept = storage.kv.get<{ hold: object }>("hold");
      storage.kv.put("hold", { ...kept, hold: { ...kept?.hold, retryAt: 0 } });
    });
    await evict(stubOf(room));
    await archive(room);
    expect((await archived(room)).map(({ seq, content }) => [seq, content])).toEqual([
      [1, ""],
      [2, "says two"],
      [3, ""],
      [4, "says three"],
    ]);
    const { archive: after } = await owner.json<{ archive: unknown }>(`/api/rooms/${room}`);
    expect(after).toMatchObject({ lag: 0, hold: null });
  });

  it.each([
    ["Exceeded maximum DB size.", /database is full/, 900, 900],
    ["Your account has exceeded D1's free tier daily row write limit.", /after 00:00 UTC/, 1, 86_400],
  ])(
    "(%s) a new key and a new room are refused with the reason, and count as not made",
    async (words, reason, least, most) => {
      const owner = await Visitor.withKey();
      await refusing(words, async () => {
        for (let tried = 0; tried < 12; tried++) {
          const path = tried % 2 === 0 ? "/api/keys" : "/api/rooms";
          const response = await unlogged(() => owner.send("POST", path, tried % 2 === 0 ? {} : { name: "New" }));
          const { error } = await response.json<{ error: { code: string; message: string } }>();
          expect([response.status, error.code]).toEqual([503, "unavailable"]);
          expect(error.message).toMatch(reason);
          expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(least);
          expect(Number(response.headers.get("retry-after"))).toBeLessThanOrEqual(most);
        }
      });
      for (const name of ["a", "b", "c", "d", "e"]) {
        expect((await owner.send("POST", "/api/rooms", { name })).status).toBe(201);
      }
    },
  );
});

describe("a pack that D1 refuses", () => {
  it("holds up no other, stays readable, and the owner is told", async () => {
    const { owner, room } = await ownerWithRoom();
    // No two characters of it are alike, so that its pack is long.
    const long = String.fromCharCode(...Array.from({ length: 3_000 }, (_, index) => 0x4e00 + index));
    await owner.json(`/api/rooms/${room}`);
    const lines = Array.from({ length: 150 }, (_, index) => {
      const content = index === 1 ? long : "line";
      return { id: `m${index + 1}`, kind: "text" as const, sender: "swift-otter", content, ref: null };
    });
    await withLog(room, (log) => log.append(lines, Date.now()));
    await env.DB.exec(
      `CREATE TRIGGER refuse BEFORE INSERT ON packs WHEN length(NEW.body) > 2000 AND NEW.room_id = '${room}' BEGIN SELECT RAISE(ABORT, 'too big'); END`,
    );
    const logs = (["error", "warn"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => undefined),
    );
    for (let attempt = 0; attempt < 4; attempt++) await archive(room);
    for (const log of logs) log.mockRestore();
    await env.DB.exec("DROP TRIGGER refuse");
    expect((await archived(room)).map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, index) => 101 + index));
    const { archive: state } = await owner.json<{ archive: unknown }>(`/api/rooms/${room}`);
    expect(state).toMatchObject({
      lag: 0,
      failures: 0,
      refused: [{ first: 1, reason: expect.stringContaining("too big") }],
    });
    const page = await new Visitor().json<{ messages: { id: string }[] }>(`/api/rooms/${room}/messages?before=4`);
    expect(page.messages.map(({ id }) => id)).toEqual(["m1", "m2", "m3"]);
    // What changes it has it tried again at once.
    await expectStatus(await owner.fetch(`/api/rooms/${room}/messages/2`, { method: "DELETE" }), 204);
    await archive(room);
    expect((await archived(room)).length).toBe(151);
    expect((await owner.json<{ archive: unknown }>(`/api/rooms/${room}`)).archive).toMatchObject({ refused: [] });
  });
});

describe("with the room's disk full", () => {
  it("senders get an error and never a false acknowledgement, and nobody hears of the message (promise 1)", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    line.say("a");
    await line.messages(1);
    await runInDurableObject(stubOf(room), (_, { storage }) => {
      storage.sql.exec(`CREATE TRIGGER full BEFORE INSERT ON messages
        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
    });
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    line.say("b");
    expect(await line.next("error")).toMatchObject({ code: "unavailable", id: "b" });
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const posted = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "c" });
    expect(await refusalOf(posted)).toEqual([503, "unavailable"]);
    const removed = await owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" });
    expect(await refusalOf(removed)).toEqual([503, "unavailable"]);
    for (const each of [log, warned]) each.mockRestore();
    await runInDurableObject(stubOf(room), (_, { storage }) => void storage.sql.exec("DROP TRIGGER full"));
    line.say("d");
    expect((await watcher.messages(2)).map(({ seq, id }) => [seq, id])).toEqual([
      [1, "a"],
      [2, "d"],
    ]);
  });
});

describe("with something broken inside", () => {
  it("a client is told so under a number that the log has, without a detail, and what is not concerned goes on", async () => {
    // More than the newest of it, which a room reads as it wakes.
    const { owner, room } = await longRoom(120);
    const line = await owner.enter(room);
    await evict(stubOf(room));
    const log = vi.spyOn(console, "error").mockReturnValue();
    await runInDurableObject(stubOf(room), (_, { storage }) => {
      storage.sql.exec("ALTER TABLE messages RENAME TO messages_away");
    });
    // One without a cursor is welcomed: with what was read for those who came before.
    const newcomer = await new Visitor().connect(room, { query: "?after=0" });
    const refusal = await newcomer.next("error");
    expect(refusal).toMatchObject({ code: "unavailable" });
    expect(await newcomer.closeCode()).toBe(1011);
    expect(refusal.message).not.toMatch(/messages|SQL|no such table|\.ts/);
    const [incident = "none"] = /[0-9a-f-]{36}/.exec(refusal.message) ?? [];
    expect(linesOf(log)).toContainEqual(expect.objectContaining({ event: "frame.failed", request: incident, room }));
    line.say("a");
    expect(await line.next("error")).toMatchObject({ code: "unavailable", id: "a" });
    line.send("ping");
    expect(await line.nextText()).toBe("pong");
    log.mockRestore();
    await runInDurableObject(stubOf(room), (_, { storage }) => {
      storage.sql.exec("ALTER TABLE messages_away RENAME TO messages");
    });
    line.say("a");
    expect(await line.messages(1)).toMatchObject([{ seq: 121 }]);
  });
});
