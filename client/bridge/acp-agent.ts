/**
 * A coding agent by ACP, the Agent Client Protocol, version 1: one process, and one session in it that remembers the room.
 * Only its message chunks are the answer; tool calls are activity, and its thoughts and plans stay with it.
 */

import { visibleLine } from "../cli/visible-text.ts";
import { type Agent, AgentFailure, type AnswerListener, type PermissionOption } from "./agent.ts";
import { Child, type ChildPlace } from "./child.ts";
import { type Json, JsonRpc, METHOD_NOT_FOUND, objectOf, RpcError } from "./json-rpc.ts";
import { nameOf } from "./known-agents.ts";

const VERSION = 1;
/** The protocol's code for an agent whose person has to log in first. */
const AUTH_REQUIRED = -32_000;
/** How long it may take until it can be asked, ms: a package runner may have to fetch it first. */
const START_WITHIN = 120_000;
/** How long it may take to stop when it is told to, ms; then its process is ended. */
const STOP_WITHIN = 5_000;

export interface AcpOptions {
  /** How long it may take until it can be asked, ms. */
  readonly startWithin?: number | undefined;
}

/** An agent that runs. */
interface Running {
  readonly child: Child;
  readonly rpc: JsonRpc;
  session: string | undefined;
  /** Something was said to it in this session. */
  isAsked: boolean;
}

/** An answer that is being made. */
interface Turn {
  readonly session: string;
  readonly listener: AnswerListener;
  /** Aborted when the answer is given up: then no permission is given any more. */
  readonly signal: AbortSignal;
}

export class AcpAgent implements Agent {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #place: ChildPlace;
  readonly #startWithin: number;
  #running: Running | undefined;
  #turn: Turn | undefined;

  constructor(command: readonly string[], place: ChildPlace, { startWithin = START_WITHIN }: AcpOptions = {}) {
    this.#command = command;
    this.#place = place;
    this.#startWithin = startWithin;
    this.name = nameOf(command);
  }

  get isNew(): boolean {
    const running = this.#running;
    return !running || running.child.hasEnded || !running.isAsked;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#sessionOf(await this.#run(signal), signal);
  }

  async answer(prompt: string, listener: AnswerListener, signal: AbortSignal): Promise<void> {
    const running = await this.#run(signal);
    const session = await this.#sessionOf(running, signal);
    if (signal.aborted) return;
    const { rpc, child } = running;
    this.#turn = { session, listener, signal };
    let stopping: Promise<void> | undefined;
    const stop = () => {
      rpc.notify("session/cancel", { sessionId: session });
      stopping ??= endUnless(child, answered.promise);
    };
    const answered = Promise.withResolvers<void>();
    signal.addEventListener("abort", stop);
    try {
      running.isAsked = true;
      const prompted = rpc.request("session/prompt", { sessionId: session, prompt: [{ type: "text", text: prompt }] });
      const { stopReason } = objectOf(await prompted);
      if (stopReason === "refusal" && !signal.aborted) throw new AgentFailure(`${this.name} refuses to answer this.`);
    } catch (error) {
      // Told to stop, it may well end instead.
      if (!signal.aborted) throw this.#failure(error);
    } finally {
      answered.resolve();
      signal.removeEventListener("abort", stop);
      this.#turn = undefined;
      await stopping;
    }
  }

  async renew(): Promise<void> {
    if (this.#running) Object.assign(this.#running, { session: undefined, isAsked: false });
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.child.end();
  }

  /** The process, started if it does not run. */
  async #run(signal: AbortSignal): Promise<Running> {
    if (this.#running && !this.#running.child.hasEnded) return this.#running;
    const child = await Child.start(this.#command, this.#place);
    const rpc = new JsonRpc(child.stdout, child.stdin, {
      onRequest: (method, params) => this.#onRequest(method, params),
      onNotification: (method, params) => this.#onNotification(method, params),
    });
    const running: Running = { child, rpc, session: undefined, isAsked: false };
    rpc.onBroken = () => void child.end();
    void child.closed.then(() => {
      rpc.fail(new AgentFailure(`${this.name} ${child.howItEnded}.`, { details: child.lastWords || rpc.garbage }));
    });
    try {
      const clientCapabilities = { fs: { readTextFile: false, writeTextFile: false }, terminal: false };
      const answer = rpc.request("initialize", { protocolVersion: VERSION, clientCapabilities });
      const { protocolVersion } = objectOf(await this.#inTime(answer, "has not answered `initialize`", signal));
      if (protocolVersion !== VERSION) {
        throw new AgentFailure(
          `${this.name} speaks version ${visibleLine(String(protocolVersion))} of ACP, and not ${VERSION}.`,
        );
      }
    } catch (error) {
      await child.end();
      throw this.#failure(error);
    }
    this.#running = running;
    return running;
  }

  async #sessionOf(running: Running, signal: AbortSignal): Promise<string> {
    if (running.session !== undefined) return running.session;
    try {
      const answer = running.rpc.request("session/new", { cwd: this.#place.cwd, mcpServers: [] });
      const { sessionId } = objectOf(await this.#inTime(answer, "has not begun a session", signal));
      if (typeof sessionId !== "string") throw new AgentFailure(`${this.name} has begun a session without an id.`);
      running.session = sessionId;
      return sessionId;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async #inTime<Value>(answer: Promise<Value>, otherwise: string, signal: AbortSignal): Promise<Value> {
    const late = Promise.withResolvers<never>();
    const seconds = Math.round(this.#startWithin / 1_000);
    const tooLate = () =>
      late.reject(new AgentFailure(`${this.name} ${otherwise} within ${seconds} s. Is it an ACP agent?`));
    const leave = () => late.reject(signal.reason);
    const timer = setTimeout(tooLate, this.#startWithin);
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    }
  }

  #failure(error: unknown): unknown {
    if (!(error instanceof RpcError)) return error;
    if (error.code === AUTH_REQUIRED) {
      return new AgentFailure(`${this.name} wants you to log in: run it once by itself.`, { details: error.message });
    }
    return new AgentFailure(`${this.name} answers with an error.`, { details: error.message });
  }

  #onNotification(method: string, params: Json): void {
    const turn = this.#turn;
    if (method !== "session/update" || !turn || params.sessionId !== turn.session || turn.signal.aborted) return;
    const update = objectOf(params.update);
    if (update.sessionUpdate === "agent_message_chunk") {
      const { type, text } = objectOf(update.content);
      if (type === "text" && typeof text === "string") turn.listener.onText(text);
    } else if (update.sessionUpdate === "tool_call" && typeof update.title === "string") {
      turn.listener.onActivity(visibleLine(update.title));
    }
  }

  async #onRequest(method: string, params: Json): Promise<unknown> {
    if (method !== "session/request_permission") throw new RpcError(METHOD_NOT_FOUND, `There is no ${method} here.`);
    const cancelled = { outcome: { outcome: "cancelled" } };
    const turn = this.#turn;
    if (!turn || params.sessionId !== turn.session || turn.signal.aborted) return cancelled;
    const options = Array.isArray(params.options) ? params.options.flatMap(optionOf) : [];
    const title = visibleLine(String(objectOf(params.toolCall).title ?? "do something"));
    const chosen = await turn.listener.onPermission({ title, options }, turn.signal);
    if (turn.signal.aborted) return cancelled;
    const optionId = chosen ?? options.find(({ denies }) => denies)?.id;
    return optionId === undefined ? cancelled : { outcome: { outcome: "selected", optionId } };
  }
}

function optionOf(value: unknown): PermissionOption[] {
  const { optionId, name, kind } = objectOf(value);
  if (typeof optionId !== "string") return [];
  return [{ id: optionId, label: visibleLine(String(name ?? optionId)), denies: String(kind).startsWith("reject") }];
}

/** Ends a child that was told to stop and does not. */
async function endUnless(child: Child, stopped: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), STOP_WITHIN);
  const how = await Promise.race([stopped, child.closed, late.promise]);
  clearTimeout(timer);
  if (how === "late") await child.end();
}
