/** What a stay does, wherever it runs: each scenario gives what a test expects, as JSON. They are run in Node and bundled for others. */

import { type Cursor, type CursorStore, join, type Message, RoomError } from "../../client/stay/index.ts";

export interface Place {
  /** The room's address. */
  readonly url: string;
  readonly key: string;
}

const codeOf = (error: unknown): string => (error instanceof RoomError ? error.code : String(error));
const GUEST = "g".repeat(22);

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

  /** What is wrong is said at once, with the protocol's codes. */
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
  errors: ["unauthorized", "unauthorized", "not_found", "invalid", "invalid"],
};
