/** A bridge under test: its room, the person who owns it, and what they say to each other. */

import { join as pathOf } from "node:path";
import { join, type Message, type Stay } from "../../../client/stay/index.ts";
import { makeKey, readAll } from "../../chaos/trial.ts";
import { type Running, Terminal } from "../cli/terminal.ts";
import type { Server } from "../server.ts";
import { until } from "../until.ts";

export const ACP_AGENT = ["--acp", "--", process.execPath, pathOf(import.meta.dirname, "acp-agent.ts")];
export const PLAIN_AGENT = ["--", process.execPath, pathOf(import.meta.dirname, "plain-agent.ts")];

export class Bridged {
  readonly server: Server;
  readonly room: string;
  readonly key: string;
  /** The owner of the room, and of the bridge's key. */
  readonly owner: Stay;
  readonly terminal: Terminal;
  readonly #args: readonly string[];
  bridge!: Running;
  /** What the agent has shown of its answers while it made them, as the owner has seen it. */
  #shown = "";

  private constructor(server: Server, key: string, owner: Stay, args: readonly string[], env: Record<string, string>) {
    this.server = server;
    this.key = key;
    this.owner = owner;
    this.room = owner.room;
    this.#args = args;
    this.terminal = new Terminal(server.url, { MEET_AI_KEY: key, ...env });
    owner.on("drafts", ({ drafts }) => {
      for (const piece of drafts) if (piece.sender === this.agent && "append" in piece) this.#shown += piece.append;
    });
  }

  /** A room with its owner and their agent in it; `args` is what stands behind `bridge ROOM --as claude`. */
  static async begin(server: Server, args: readonly string[], env: Record<string, string> = {}): Promise<Bridged> {
    const key = await makeKey(server);
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const made = await fetch(`${server.url}/api/rooms`, { method: "POST", headers, body: '{"name":"Bridged"}' });
    const { id } = (await made.json()) as { id: string };
    const owner = await join(`${server.url}/r/${id}`, { key });
    const bridged = new Bridged(server, key, owner, args, env);
    await bridged.start();
    return bridged;
  }

  /** The agent's name. */
  get agent(): string {
    return `${this.owner.me}/claude`;
  }

  /** Starts the bridge, or starts it again. */
  async start(): Promise<void> {
    this.bridge = this.terminal.start(["bridge", this.room, "--as", "claude", ...this.#args]);
    await this.bridge.prints(/here as/);
  }

  /** What the owner says to the agent. */
  async ask(text: string): Promise<number> {
    return (await this.owner.send(`@${this.agent} ${text}`)).seq;
  }

  /** Waits until the agent has shown `text` of an answer: before that it may not have been asked yet. */
  async shows(text: string): Promise<void> {
    await until(`the agent shows ${text}; the bridge says: ${this.bridge.err}`, () => this.#shown.includes(text));
  }

  async log(): Promise<Message[]> {
    return (await readAll(this.server, this.room)).messages;
  }

  /** What the agent has said, oldest first. */
  async answers(agent = this.agent): Promise<Message[]> {
    return (await this.log()).filter(({ sender, kind, ask }) => sender === agent && kind === "text" && !ask);
  }

  /** The answer to a message, once it is there. */
  async answerTo(seq: number, patience?: number): Promise<string> {
    const answer = async () => (await this.answers()).find(({ replyTo }) => replyTo === seq);
    const found = await until(`#${seq} is answered; the bridge says: ${this.bridge.err}`, answer, patience);
    return found.content;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.owner.close();
    this.terminal[Symbol.dispose]();
  }
}
