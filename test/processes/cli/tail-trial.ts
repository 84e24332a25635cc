/** `meet-ai tail` at a server that is killed, on a network that is cut. */

import { readFileSync } from "node:fs";
import { join as pathOf } from "node:path";
import { expect } from "vitest";
import { join, type Stay } from "../../../client/stay/index.ts";
import { TcpProxy } from "../../chaos/proxy.ts";
import { makeRoom, readAll } from "../../chaos/trial.ts";
import type { Server } from "../server.ts";
import { until } from "../until.ts";
import { Terminal } from "./terminal.ts";

/** How much is said, and how often what breaks. */
export interface TailTrial {
  readonly messages: number;
  readonly kills: number;
  readonly cuts: number;
}

/** How far the person is ahead of the reader. */
const AHEAD = 50;
/** How long one part of it may take, ms. */
const PATIENCE = 300_000;

export const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");

/** Waits until somebody watches beside `person`, whom the room has counted as one who watches until it knew their name. */
export async function readerIsThere(person: Stay): Promise<void> {
  const isThere = () => person.people.includes(person.me as string) && person.spectators === 1;
  await until("the reader is there", isThere);
}

/** Fails unless it prints each message once, in order. */
export async function tryTail(server: Server, key: string, { messages, kills, cuts }: TailTrial): Promise<void> {
  await using proxy = await TcpProxy.start(server.port);
  const room = await makeRoom(server, key);
  using terminal = new Terminal(`http://localhost:${proxy.port}`);
  const tail = terminal.start(["tail", room, "--json", "--cursor", "cursor.json"]);
  await using person = await join(`${server.url}/r/${room}`, { key });
  await readerIsThere(person);

  const seen = () => {
    if (tail.child.exitCode !== null) throw new Error(`The reader has ended: ${tail.err}`);
    return linesOf(tail.out).length;
  };
  const breaks = Array.from({ length: kills + cuts }, (_, index) => async () => {
    if (index % 3 !== 0) {
      for (const link of proxy.links) link.cut();
      return;
    }
    await server.kill();
    await server.start();
  });
  const sent: Promise<unknown>[] = [];
  const talking = (async () => {
    while (sent.length < messages) {
      await until("the reader has come closer", () => sent.length < seen() + AHEAD, PATIENCE);
      sent.push(person.send(`Message ${sent.length + 1}`));
    }
    await Promise.all(sent);
  })();
  // It is waited for below.
  talking.catch(() => {});
  for (const [index, step] of breaks.entries()) {
    const due = (messages * index) / breaks.length;
    await until(`${due} messages are read`, () => seen() >= due, PATIENCE);
    await step();
  }
  await talking;
  await until("the last one is read", () => seen() >= messages, PATIENCE);
  tail.interrupt();
  expect(await tail.ended()).toBe(2);

  const read = linesOf(tail.out).map((line) => JSON.parse(line) as { seq: number; content: string });
  expect(read.map(({ seq }) => seq)).toEqual(Array.from({ length: messages }, (_, index) => index + 1));
  expect(new Set(read.map(({ content }) => content)).size).toBe(messages);
  expect(read).toEqual((await readAll(server, room)).messages);
  // The next run goes on behind the last one.
  expect(JSON.parse(readFileSync(pathOf(terminal.home, "cursor.json"), "utf8"))).toMatchObject({ after: messages });
  expect(await terminal.run(["tail", room, "--json", "--once", "--cursor", "cursor.json"])).toMatchObject({
    code: 0,
    out: "",
  });
}
