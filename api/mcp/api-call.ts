/**
 * The HTTP API as a tool calls it: the same routes, in this Worker, with the credentials of the request that the tool was
 * called by. So a tool has no rule of its own about who may do what, what is a repetition, or how much is too much.
 */

import { Hono } from "hono";
import type { ErrorCode } from "../../party/protocol.ts";
import { audited } from "../admin/audited.ts";
import { answers } from "../answers.ts";
import { answerError } from "../error-answer.ts";
import type { ErrorBody } from "../errors.ts";
import { invites } from "../invites.ts";
import { messages } from "../messages.ts";
import type { Call } from "../request.ts";
import { madeFor, requestLogged } from "../request-log.ts";
import { rooms } from "../rooms.ts";

const api = new Hono<{ Bindings: Env }>();
api.use(requestLogged);
api.use(audited);
api.route("/api/rooms", rooms);
api.route("/api/rooms", invites);
api.route("/api/rooms", messages);
api.route("/api/rooms", answers);
api.onError(answerError);

/** What the API has refused. */
export class ApiRefusal extends Error {
  readonly code: ErrorCode;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** What an answer of the API says that refuses. */
  static async of(response: Response): Promise<ApiRefusal> {
    const { error } = await response.json<ErrorBody>();
    const retryAfter = response.headers.get("retry-after");
    return new ApiRefusal(error.code, error.message, retryAfter === null ? undefined : Number(retryAfter));
  }
}

/** What goes along from the caller's request: who they are, from where, and from which page. */
const HEADERS = ["authorization", "cf-connecting-ip", "origin", "sec-fetch-site"];

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Without those that are absent. */
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

export class ApiCall {
  readonly #c: Call;
  readonly #signal: AbortSignal;

  /** For the request `c`, for as long as `signal` does not say that nobody waits for the answer. */
  constructor(c: Call, signal: AbortSignal) {
    this.#c = c;
    this.#signal = AbortSignal.any([c.req.raw.signal, signal]);
  }

  /** The answer as text. Throws `ApiRefusal`. */
  async text(path: string, request: ApiRequest = {}): Promise<string> {
    return (await this.#fetch(path, request)).text();
  }

  /** The answer as JSON, and its status. Throws `ApiRefusal`. */
  async json<T>(path: string, request: ApiRequest = {}): Promise<{ status: number; body: T }> {
    const response = await this.#fetch(path, request);
    return { status: response.status, body: await response.json<T>() };
  }

  /** The same where there may be nothing to tell yet: `undefined`. */
  async jsonIfAny<T>(path: string, request: ApiRequest = {}): Promise<T | undefined> {
    const response = await this.#fetch(path, request);
    return response.status === 204 ? undefined : response.json<T>();
  }

  async #fetch(path: string, { method = "GET", query = {}, body }: ApiRequest): Promise<Response> {
    const url = new URL(path, this.#c.req.url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, said(value));
    const headers = new Headers();
    for (const name of HEADERS) {
      const value = this.#c.req.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    // A client whose variable is empty sends a key that is none.
    if (/^bearer$/i.test(headers.get("authorization")?.trim() ?? "")) headers.delete("authorization");
    if (body) headers.set("content-type", "application/json");
    const request = new Request(url, {
      method,
      headers,
      signal: this.#signal,
      ...(body && { body: JSON.stringify(body) }),
    });
    const response = await api.fetch(madeFor(this.#c, request), this.#c.env, this.#c.executionCtx);
    if (response.ok && response.status !== 202) return response;
    throw await ApiRefusal.of(response);
  }
}

/** As a query has it. What is no text and no number is refused there, by its name. */
const said = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
