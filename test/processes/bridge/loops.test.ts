/** Two bridged agents that repeat what they hear, and mention each other with it: left alone they stop, by each guard alone. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join, type Message, type Stay } from "../../../client/stay/index.ts";
import { makeKey, readAll } from "../../chaos/trial.ts";
import { type Running, Terminal } from "../cli/terminal.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";

let server: Server;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server?.remove();
});

/** A room with two agents in it that answer by running `command`. */
class Pair {
  readonly #terminal: Terminal;
  readonly #owner: Stay;
  readonly bridges: readonly Running[];

  private constructor(terminal: Terminal, owner: Stay, bridges: readonly Running[]) {
    this.#terminal = terminal;
    this.#owner = owner;
    this.bridges = bridges;
  }

  static async begin(options: readonly string[], command: readonly string[], loopGuard = 0): Promise<Pair> {
    const key = await makeKey(server);
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const made = await fetch(`${server.url}/api/rooms`, { method: "POST", headers, body: '{"name":"Two"}' });
    const { id } = (await made.json()) as { id: string };
    await fetch(`${server.url}/api/rooms/${id}`, { method: "PATCH", headers, body: JSON.stringify({ loopGuard }) });
    const owner = await join(`${server.url}/r/${id}`, { key });
    const terminal = new Terminal(server.url, { MEET_AI_KEY: key });
    const args = options.map((option) => option.replaceAll("ME", owner.me as string));
    const bridges = ["one", "two"].map((as) =>
      terminal.start(["bridge", id, "--as", as, "--bare", "--cooldown", "0", ...args, "--", ...command]),
    );
    for (const bridge of bridges) await bridge.prints(/here as/);
    return new Pair(terminal, owner, bridges);
  }

  /** What the owner says to both. */
  async ask(): Promise<number> {
    const me = this.#owner.me;
    return (await this.#owner.send(`@${me}/one and @${me}/two, what now?`)).seq;
  }

  /** What the agents have said. */
  async answers(): Promise<Message[]> {
    const { messages } = await readAll(server, this.#owner.room);
    return messages.filter(({ sender }) => sender.includes("/"));
  }

  /** Waits until both have answered a message; one may have done so together with what the other has answered by then. */
  async answered(seq: number): Promise<void> {
    const later = async () => (await this.answers()).filter(({ replyTo = 0 }) => replyTo >= seq);
    await until(
      `both have answered #${seq}`,
      async () => new Set((await later()).map(({ sender }) => sender)).size === 2,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owner.close();
    this.#terminal[Symbol.dispose]();
  }
}

const EACH_OTHER = ["--allow", "ME,ME/one,ME/two"];

describe("two agents that mention each other stop", () => {
  it("by whom they answer: not each other, unless they are told to", async () => {
    await using pair = await Pair.begin(["--in-a-row", "100"], ["cat"]);
    for (let time = 0; time < 2; time++) await pair.answered(await pair.ask());
    expect((await pair.answers()).every(({ content }) => content.includes("what now?"))).toBe(true);
    expect(await pair.answers()).toHaveLength(4);
  });

  it("by mentions: what mentions nobody is not answered", async () => {
    await using pair = await Pair.begin([...EACH_OTHER, "--in-a-row", "100"], ["echo", "Nothing."]);
    for (let time = 0; time < 2; time++) await pair.answered(await pair.ask());
    expect(await pair.answers()).toHaveLength(4);
  });

  it("by so many answers in a row without a person", async () => {
    await using pair = await Pair.begin([...EACH_OTHER, "--in-a-row", "3"], ["cat"]);
    await pair.ask();
    // Whoever hears of its last answer has given three to three of the other's; that one may have nothing left to refuse.
    const isRefused = () => pair.bridges.some(({ err }) => err.includes("too many answers in a row without a person"));
    await until("one of them answers no more", isRefused);
    expect(await pair.answers()).toHaveLength(6);
    // A person sets them going again.
    await pair.answered(await pair.ask());
  });

  it("by the room's own guard, which the bridge asks before it asks its agent", async () => {
    await using pair = await Pair.begin([...EACH_OTHER, "--in-a-row", "100"], ["cat"], 5);
    await pair.ask();
    const isRefused = () => pair.bridges.some(({ err }) => /agents wait here|does not take the answer/.test(err));
    await until("one of them is refused", isRefused);
    expect(await pair.answers()).toHaveLength(5);
  });
});
