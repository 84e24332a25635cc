/** The client of today at the servers of released versions: it is told what they were recorded saying. */

import { describe, expect, it } from "vitest";
import type { Draft } from "../../client/stay/draft.ts";
import { setUp } from "../../client/stay/fake-room.ts";
import type { ClientFrame, HelloFrame, Message, ServerFrame } from "../../party/protocol.ts";
import { type Line, lacks, RECORDED, recorded } from "../recorded/conversation.ts";

describe.each(RECORDED)("a server of version $version", ({ version, talks }) => {
  it.each(talks)("is understood, and told what it understands: %s", async (name) => {
    const lines = recorded(version, name);
    const { untold, outcomes, heard } = await live(lines);
    expect(untold).toEqual([]);
    expect(outcomes).toEqual(outcomesIn(lines));
    expect(heard).toEqual(messagesIn(lines));
  });

  it("refuses a key, and the client says so and stays away", async () => {
    const lines = recorded(version, "refusals");
    const end = lines.findIndex((line) => "close" in line);
    const { untold, connection } = await live(lines.slice(0, end + 1));
    expect([untold, connection.status, connection.error?.code]).toEqual([[], "closed", "unauthorized"]);
  });
});

/** Lives through a conversation: does what the client did, and hears what it heard. */
async function live(lines: readonly Line[]) {
  const hello = lines.find((line) => "client" in line && line.client.type === "hello") as { client: HelloFrame };
  const { type: _, ...credentials } = hello.client;
  const [opening] = lines;
  const room = opening && "connect" in opening ? (opening.connect.split("/")[3] as string) : "";
  const { connection, writer, socket, clock, heard } = setUp({ room, credentials });
  /** What the room was to be told, and was not. */
  const untold: string[] = [];
  const outcomes: string[] = [];
  const drafts = new Map<string, Draft>();

  for (const line of lines) {
    if ("connect" in line) {
      socket.open();
      note(line.connect, addressOf(new URL(socket.urls.at(-1) as string), line.connect));
    } else if ("server" in line) socket.deliver(line.server);
    else if ("close" in line) socket.lose(line.close);
    else if ("leave" in line) connection.reconnect();
    else {
      const before = line.client.type === "hello" ? 0 : socket.sent.length;
      act(line.client);
      // Pieces of a draft are gathered for a moment.
      clock.pass(60);
      note(line.client, socket.sent[before]);
    }
    await turn();
  }
  return { untold, outcomes, heard, connection };

  function act(frame: ClientFrame): void {
    if (frame.type === "delete") settle(`delete ${frame.seq}`, writer.delete(frame.seq));
    else if (frame.type === "draft") {
      const draft = drafts.get(frame.id) ?? writer.draft({ id: frame.id });
      drafts.set(frame.id, draft);
      draft.write(frame.append);
    } else if (frame.type === "send") {
      const { id, content = frame.answer?.option ?? "", replyTo = frame.answer?.target, ask, answer } = frame;
      settle(`send ${id}`, drafts.get(id)?.end(content) ?? writer.send(content, { id, replyTo, ask, answer }));
      drafts.delete(id);
    }
  }

  function settle(what: string, done: Promise<unknown>): void {
    const settled = done.then(
      () => `${what} is done`,
      (error: { code: string }) => `${what} is refused: ${error.code}`,
    );
    void settled.then((outcome) => outcomes.push(outcome));
  }

  function note(expected: unknown, found: unknown): void {
    const fault = lacks(expected, found);
    if (fault) untold.push(`${fault}: ${JSON.stringify(expected)}, not ${JSON.stringify(found)}`);
  }
}

/** What a version that was recorded with the address `recorded` reads of one: it drops what it does not know. */
function addressOf({ pathname, searchParams }: URL, recorded: string): string {
  const names = ["after", "epoch", ...new URLSearchParams(recorded.split("?")[1]).keys()];
  const known = new URLSearchParams([...searchParams].filter(([name]) => names.includes(name)));
  return known.size === 0 ? pathname : `${pathname}?${known}`;
}

/** Lets what is settled be heard of. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** How each thing that was asked has ended, by what the room has said of it next. */
function outcomesIn(lines: readonly Line[]): string[] {
  return lines.flatMap((line, index) => {
    if (!("client" in line) || (line.client.type !== "send" && line.client.type !== "delete")) return [];
    const what = line.client.type === "send" ? `send ${line.client.id}` : `delete ${line.client.seq}`;
    const next = lines.slice(index).find((other) => "server" in other && !isOfOthers(other.server));
    const { server } = next as Extract<Line, { server: unknown }>;
    return [server.type === "error" ? `${what} is refused: ${server.code}` : `${what} is done`];
  });
}

/** Who comes and who goes, and what is being written. */
const isOfOthers = (frame: ServerFrame): boolean => frame.type === "update" && !frame.messages;

/** Every message that the room has told, in its order, none twice. */
function messagesIn(lines: readonly Line[]): Message[] {
  const found = new Map<number, Message>();
  for (const line of lines) {
    if (!("server" in line) || (line.server.type !== "welcome" && line.server.type !== "update")) continue;
    for (const message of line.server.messages ?? []) found.set(message.seq, message);
  }
  return [...found.values()];
}
