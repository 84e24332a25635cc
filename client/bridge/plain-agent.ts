/**
 * A command that knows nothing of rooms: a process for each answer. The prompt comes on its stdin, and then the end of file;
 * what it writes to stdout is the answer.
 */

import { type Agent, AgentFailure, type AnswerListener } from "./agent.ts";
import { Child, type ChildPlace } from "./child.ts";
import { nameOf } from "./known-agents.ts";

export class PlainAgent implements Agent {
  readonly name: string;
  /** Each answer is made by a process of its own. */
  readonly isNew = false;
  readonly #command: readonly string[];
  readonly #place: ChildPlace;
  #child: Child | undefined;

  constructor(command: readonly string[], place: ChildPlace) {
    this.#command = command;
    this.#place = place;
    this.name = nameOf(command);
  }

  /** Only whether it is there: what it does is seen when it is asked. */
  async start(): Promise<void> {
    await Child.find(this.#command, this.#place);
  }

  async answer(prompt: string, { onText }: AnswerListener, signal: AbortSignal): Promise<void> {
    const child = await Child.start(this.#command, this.#place);
    this.#child = child;
    let ending: Promise<void> | undefined;
    const stop = () => {
      ending ??= child.end();
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let isText = true;
    const take = (chunk?: Uint8Array) => {
      if (!isText) return;
      try {
        const text = chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
        isText = !text.includes("\0");
        if (isText && !signal.aborted) onText(text);
      } catch {
        isText = false;
      }
      if (!isText) stop();
    };
    child.stdout.on("data", take);
    child.stdin.end(prompt);
    await child.closed;
    await ending;
    signal.removeEventListener("abort", stop);
    this.#child = undefined;
    if (signal.aborted) return;
    take();
    if (!isText) throw new AgentFailure(`${this.name} has written what is not text (UTF-8).`);
    if (!child.hasSucceeded) throw new AgentFailure(`${this.name} ${child.howItEnded}.`, { details: child.lastWords });
  }

  async renew(): Promise<void> {}

  async close(): Promise<void> {
    await this.#child?.end();
  }
}
