/** What a stay does, wherever it runs: each scenario gives what a test expects, as JSON. They are run in Node and bundled for others. */

import { type Cursor, type CursorStore, join, type Message, RoomError } from "../../client/stay/index.ts";

export interface Place {
  /** The room's address. */
  readonly url: string;
  /** Its owner's key. */
  readonly key: string;
}

const codeOf = (error: unknown): string => (error instanceof RoomError ? error.code : String(error));
const GUEST = "g".repeat(22);

/** Changes something about the room, as its owner does over HTTP. */
async function change({ url, key }: Place, method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${url.replace("/r/", "/api/rooms/")}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

/** The first message that a loop gives. */
async function next(loop: AsyncGenerator<Message>): Promise<Message> {
  const { value } = await loop.next();
  if (!value) throw new Error("The loop has ended.");
  return value as Message;
}

export const SCENARIOS: Record<string, (place: Place) => Promise<unknown>> = {
  /** Joins, says something, and hears it over another stay. */
  async messages({ url, key }) {
    const person = await join(url, { guest: GUEST });
    const agent = await join(url, { key, as: "hears" });
    const loop = agent.messages({ mentioning: agent.me });
    await person.send("For nobody.");
    await person.send(`@${agent.me} hello`);
    const { content, sender } = await next(loop);
    const heard = [content === `@${agent.me} hello`, sender === person.me, agent.status];
    await person.close();
    await agent.close();
    return [...heard, agent.status];
  },

  /** Replies while the others watch it being written. */
  async reply({ url, key }) {
    const person = await join(url, { guest: GUEST });
    const agent = await join(url, { key, as: "replies" });
    let seen = "";
    const shown = new Promise<void>((resolve) => {
      person.on("drafts", ({ drafts }) => {
        for (const draft of drafts) if ("append" in draft && draft.sender === agent.me) seen += draft.append;
        if (seen === "One two ") resolve();
      });
    });
    const question = next(agent.messages());
    await person.send("Count.");
    const reply = agent.reply(await question);
    for (const word of ["One ", "two "]) reply.write(word);
    await shown;
    reply.write("three.");
    const replies = person.messages();
    const { seq } = await reply.end();
    const answer = await next(replies);
    await person.close();
    await agent.close();
    return [answer.seq === seq, answer.content];
  },

  /** Leaves in the middle, and goes on where it was; what was replied stays replied. */
  async restart({ url, key }) {
    let kept: Cursor | undefined;
    const cursor: CursorStore = {
      load: async () => kept,
      save: async (next) => {
        kept = next;
      },
    };
    const person = await join(url, { guest: GUEST });
    const first = await join(url, { key, as: "restarts", cursor });
    for (const text of ["one", "two", "three"]) await person.send(text);
    const heard: string[] = [];
    const ids: string[] = [];
    for await (const message of first.messages()) {
      heard.push(message.content);
      ids.push((await first.reply(message).end(`First ${message.content}`)).id);
      // It dies in the middle of the second.
      if (message.content === "two") break;
    }
    await first.close();
    const second = await join(url, { key, as: "restarts", cursor });
    for await (const message of second.messages()) {
      heard.push(message.content);
      ids.push((await second.reply(message).end(`Again ${message.content}`)).id);
      if (message.content === "three") await second.close();
    }
    const { messages } = await person.history({ limit: 6 });
    await person.close();
    const said = messages.filter(({ sender }) => sender.endsWith("/restarts")).map(({ content }) => content);
    return [heard, new Set(ids).size, said];
  },

  /** Ends by a signal: before, in the wait, in a loop. */
  async abort({ url, key }) {
    const before = await join(url, { signal: AbortSignal.abort(new Error("Before.")) }).catch(String);
    const over = new AbortController();
    const room = await join(url, { key, signal: over.signal });
    const loop = room.messages().next();
    over.abort();
    const { done } = await loop;
    return [before, done, room.status, await room.send("Late.").catch(codeOf)];
  },

  /** Each code of the protocol, as what the stay does comes to it. */
  async codes(place) {
    const { url, key } = place;
    const owner = await join(url, { key });
    const agent = await join(url, { key, as: "errs" });
    const guest = await join(url, { guest: GUEST });
    const refused = (work: Promise<unknown>) => work.then(() => "done", codeOf);
    const codes = [
      await refused(join(url, { key, as: "Not a name" })),
      await refused(join(url, { key: `mai_${"x".repeat(24)}` })),
      await refused(join(`${url}-that-is-not-there`)),
      await refused(owner.send("x".repeat(20_000))),
    ];
    const { id, seq } = await owner.send("One.");
    codes.push(await refused(owner.send("Two.", { id })), await refused(guest.delete(seq)));

    await change(place, "PATCH", "", { guests: "read" });
    codes.push(await refused(guest.send("Hello.")));
    await change(place, "PATCH", "", { guests: "write", hold: "guests" });
    codes.push(await refused(guest.send("Please.")));
    await change(place, "PATCH", "", { hold: "nobody", loopGuard: 1 });
    await agent.send("One.");
    codes.push(await refused(agent.send("Two.")));
    await change(place, "PATCH", "", { loopGuard: 30 });
    const mute = `/mutes/${encodeURIComponent(agent.me as string)}`;
    await change(place, "PUT", mute, {});
    codes.push(await refused(agent.send("Three.")));
    await change(place, "DELETE", mute);

    // What a quota refuses waits; of a draft it is only told.
    const told = new Promise((resolve) => agent.on("error", ({ error }) => resolve(error.code)));
    const drafts = Array.from({ length: 5 }, () => agent.draft());
    for (const draft of drafts) draft.write("Once");
    codes.push(String(await told));
    await Promise.all([owner, agent, guest].map((room) => room.close()));
    return [...codes, await refused(owner.send("Late."))];
  },

  /** What is wrong is said at once. */
  async errors({ url, key }) {
    const attempts = [
      join(url, { key: undefined }),
      join(url, { key: `mai_${"x".repeat(24)}` }),
      join(`${url}-that-is-not-there`),
      join("localhost:8787/r/lobby"),
      join(url, { key, as: "Not a name" }),
    ];
    return Promise.all(attempts.map((attempt) => attempt.then(() => "joined", codeOf)));
  },
};

/** What each gives where it does what it should. */
export const EXPECTED: Record<string, unknown> = {
  messages: [true, true, "open", "closed"],
  reply: [true, "One two three."],
  restart: [["one", "two", "two", "three"], 3, ["First one", "First two", "Again three"]],
  abort: ["Error: Before.", true, "closed", "unavailable"],
  codes: [
    "invalid",
    "unauthorized",
    "not_found",
    "too_large",
    "conflict",
    "forbidden",
    "read_only",
    "held",
    "loop_guard",
    "muted",
    "rate_limited",
    "unavailable",
  ],
  errors: ["unauthorized", "unauthorized", "not_found", "invalid", "invalid"],
};
