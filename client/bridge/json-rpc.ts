/** JSON-RPC 2.0 over lines, as ACP speaks it: requests and notifications both ways on one pair of pipes. */

import type { Readable, Writable } from "node:stream";
import { visibleLine } from "../cli/visible-text.ts";
import { AgentFailure } from "./agent.ts";

export type Json = Record<string, unknown>;

export interface RpcHandlers {
  /** Answers a request of the other side's; throws RpcError. */
  onRequest(method: string, params: Json): Promise<unknown>;
  onNotification(method: string, params: Json): void;
}

/** An error of the protocol's, as the other side gave it or is to be given it. */
export class RpcError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const METHOD_NOT_FOUND = -32_601;
const INTERNAL_ERROR = -32_603;

/** The longest line, in characters. A line without an end would fill memory. */
const LONGEST_LINE = 8 * 1024 * 1024;
/** So many lines in a row may be something else, because some agents write a word of their own to stdout. */
const MOST_GARBAGE = 20;

export class JsonRpc {
  readonly #output: Writable;
  readonly #handlers: RpcHandlers;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  #line = "";
  #garbage = 0;
  #lastGarbage = "";
  #failure: Error | undefined;
  /** Called once, when the other side can't be understood. */
  onBroken: (failure: AgentFailure) => void = () => {};

  constructor(input: Readable, output: Writable, handlers: RpcHandlers) {
    this.#output = output;
    this.#handlers = handlers;
    input.setEncoding("utf8").on("data", (text: string) => this.#take(text));
  }

  /** The last line that was no message, if there was one. */
  get garbage(): string {
    return this.#lastGarbage;
  }

  /** @throws RpcError, as the other side answers; what `fail` was called with. */
  request(method: string, params: Json): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#say({ id, method, params });
    return answer.promise;
  }

  notify(method: string, params: Json): void {
    this.#say({ method, params });
  }

  /** Nothing more comes from the other side. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  #say(message: Json): void {
    if (this.#output.writable) this.#output.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #take(text: string): void {
    const lines = text.split("\n");
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#hear(line);
    if (this.#line.length <= LONGEST_LINE) return;
    this.#line = "";
    this.#break("a line that does not end");
  }

  #hear(line: string): void {
    if (line.trim() === "") return;
    const message = parsed(line);
    if (!message) {
      this.#lastGarbage = visibleLine(line).slice(0, 100);
      if (++this.#garbage > MOST_GARBAGE) this.#break(`"${this.#lastGarbage}"`);
      return;
    }
    this.#garbage = 0;
    const { id, method, params, result, error } = message;
    if (typeof method !== "string") this.#settle(id, result, error);
    else if (id === undefined) this.#handlers.onNotification(method, objectOf(params));
    else void this.#answer(id, method, objectOf(params));
  }

  #settle(id: unknown, result: unknown, error: unknown): void {
    const answer = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (!answer) return;
    this.#waiting.delete(id as number);
    if (error === undefined || error === null) answer.resolve(result);
    else {
      const { code, message } = objectOf(error);
      answer.reject(new RpcError(Number(code), visibleLine(String(message)).slice(0, 300)));
    }
  }

  async #answer(id: unknown, method: string, params: Json): Promise<void> {
    try {
      this.#say({ id, result: await this.#handlers.onRequest(method, params) });
    } catch (error) {
      const code = error instanceof RpcError ? error.code : INTERNAL_ERROR;
      this.#say({ id, error: { code, message: (error as Error).message } });
    }
  }

  #break(what: string): void {
    if (this.#failure) return;
    const failure = new AgentFailure("The agent does not speak ACP. Leave out --acp if it is a plain command.", {
      details: `It has written ${what}.`,
    });
    this.fail(failure);
    this.onBroken(failure);
  }
}

export const objectOf = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});

function parsed(line: string): Json | undefined {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === "object" && message !== null && !Array.isArray(message) ? (message as Json) : undefined;
  } catch {
    return undefined;
  }
}
