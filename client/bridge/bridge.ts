/**
 * A bridge between a room and an agent: it reads the room, hands what is to be answered to the agent, shows the answer while it
 * is made, and posts it. Each mention is answered once, whatever dies in between: see `TurnRecord`.
 */

import { setTimeout as pause } from "node:timers/promises";
import { isAgent } from "../../party/mentions.ts";
import type { Message } from "../../party/protocol.ts";
import { newestNow } from "../cli/caught-up.ts";
import { visibleLine } from "../cli/visible-text.ts";
import type { Reply } from "../stay/reply.ts";
import { RoomError } from "../stay/room-error.ts";
import type { Stay } from "../stay/stay.ts";
import { type Agent, AgentFailure, type PermissionRequest } from "./agent.ts";
import { AnswerText, type EarlyEnd } from "./answer-text.ts";
import { Deadline } from "./deadline.ts";
import type { GuardRules } from "./guards.ts";
import { Guards } from "./guards.ts";
import { type Order, orderIn } from "./orders.ts";
import { bareQuestion, promptOf } from "./prompt.ts";
import { REMEMBERED, RecentMessages } from "./recent-messages.ts";
import type { MessageName, TurnRecord } from "./turn-record.ts";
import type { Waiting } from "./waiting.ts";

export interface BridgeLimits {
  /** Between the end of an answer and the next one, ms. */
  readonly cooldown: number;
  /** How long an answer may take, ms; waiting for a person does not count. */
  readonly timeOut: number;
  /** Bytes of an answer. */
  readonly mostBytes: number;
  /** Characters of the room's messages in a prompt. */
  readonly context: number;
}

export interface BridgeDeps {
  readonly stay: Stay;
  readonly agent: Agent;
  readonly waiting: Waiting;
  readonly record: TurnRecord;
  readonly rules: GuardRules;
  readonly limits: BridgeLimits;
  /** The prompt is what is to be answered, and nothing else. */
  readonly isBare: boolean;
  /** What the room's owner asks of agents. */
  instructions(): Promise<string>;
  /** Asks people for what the agent wants to do; the id of the option, or `undefined` where nobody allows it. */
  permission(request: PermissionRequest, turn: MessageName, signal: AbortSignal): Promise<string | undefined>;
  /** Tells the person at the terminal. */
  note(text: string): void;
}

/** A draft lapses after 45 s without a sign, ms. */
const SIGN_EVERY = 15_000;
/** How long the last answer may take to be stored when the bridge is ended, ms. */
const LAST_ANSWER = 10_000;
/** Bytes of a draft that are left to the answer: what the agent does meanwhile is not shown in them. */
const KEPT_FOR_TEXT = 4_000;

/** A turn under way. */
interface Turn {
  readonly of: MessageName;
  readonly since: number;
  readonly over: AbortController;
  end: EarlyEnd | undefined;
}

export class Bridge {
  readonly #deps: BridgeDeps;
  readonly #guards: Guards;
  readonly #leaving = new AbortController();
  readonly #recent: RecentMessages;
  #answers = 0;
  #turn: Turn | undefined;
  #wantsNew = false;
  #orders: { readonly order: Order; readonly message: Message }[] = [];
  #hasChanged = false;
  #onChange: () => void = () => {};
  #isCaughtUp: () => boolean = () => false;

  private constructor(deps: BridgeDeps, earlier: readonly Message[]) {
    this.#deps = deps;
    this.#guards = new Guards(deps.rules, earlier);
    this.#recent = new RecentMessages(earlier);
  }

  /** A bridge that knows what was said last in the room, and goes on where the last one stopped. */
  static async begin(deps: BridgeDeps): Promise<Bridge> {
    const { messages } = await deps.stay.history({ limit: REMEMBERED });
    const bridge = new Bridge(deps, messages);
    const isBefore = await newestNow(deps.stay);
    bridge.#isCaughtUp = () => isBefore(deps.waiting.read);
    return bridge;
  }

  /**
   * Answers until the signal is aborted: then it ends the answer that is being made, and itself.
   *
   * @throws RoomError, when the room has ended the stay; what writing the record throws.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { stay, waiting, agent } = this.#deps;
    const leave = () => this.#leave();
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    waiting.onRead = () => this.#wake();
    const stop = stay.subscribe((event) => {
      if (event.type === "welcome" && !event.resumed) {
        this.#recent.forget();
        this.#guards.forget();
      } else if (event.type === "messages") {
        waiting.hear(event.messages);
        this.#recent.hear(event.messages);
      }
    });
    const reading = this.#read().finally(() => this.#leave());
    // It is waited for below.
    reading.catch(() => {});
    try {
      await this.#work();
    } finally {
      signal.removeEventListener("abort", leave);
      stop();
      this.#leave();
      await agent.close();
    }
    await reading;
    await waiting.flush();
  }

  #leave(): void {
    this.#leaving.abort();
    this.#endTurn({ why: "leaving" });
    this.#wake();
  }

  async #read(): Promise<void> {
    const { stay, waiting, rules } = this.#deps;
    for await (const message of stay.messages({ from: "everybody", signal: this.#leaving.signal })) {
      this.#guards.hear(message);
      if (this.#guards.refuses(message) === undefined) {
        const order = isAgent(message.sender) ? undefined : orderIn(message.content, rules.me);
        if (order) this.#orders.push({ order, message });
        else waiting.add(message);
      }
      this.#wake();
    }
  }

  /** One answer after the other. Before the first, everything is read that was said meanwhile: it may have been answered. */
  async #work(): Promise<void> {
    const { waiting, record } = this.#deps;
    let answering: Promise<void> | undefined;
    let failure: unknown;
    let isCooling = false;
    while (!this.#leaving.signal.aborted) {
      if (failure) throw failure;
      if (this.#isCaughtUp()) {
        // Whatever is said later is new.
        this.#isCaughtUp = () => true;
        for (const { order, message } of this.#orders.splice(0)) await this.#obey(order, message);
        const isDue = waiting.length > 0 || record.turn !== undefined;
        if (!answering && !isCooling && isDue) {
          answering = this.#answerWaiting()
            .catch((error) => {
              failure = error;
            })
            .finally(() => {
              answering = undefined;
              isCooling = true;
              const cooled = () => {
                isCooling = false;
                this.#wake();
              };
              void pause(this.#deps.limits.cooldown, undefined, { signal: this.#leaving.signal }).then(cooled, cooled);
              this.#wake();
            });
        }
      }
      await this.#woken();
    }
    await answering;
    if (failure) throw failure;
  }

  /** Something has changed: `#work` looks what is to be done. */
  #wake(): void {
    this.#hasChanged = true;
    this.#onChange();
  }

  /** Until something has changed since the last time. */
  async #woken(): Promise<void> {
    if (!this.#hasChanged) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    this.#hasChanged = false;
  }

  async #answerWaiting(): Promise<void> {
    const { waiting, record, note } = this.#deps;
    const begun = record.turn;
    if (!begun && this.#guards.isExhausted) {
      const passed = await waiting.beginTurn();
      note(`Not answered: ${passed.length} message(s), because of too many answers in a row without a person.`);
      await waiting.endTurn(passed);
      return;
    }
    const taken = begun ? waiting.messagesOf(begun) : await waiting.beginTurn();
    const newest = taken.at(-1);
    // In a new history of the room the same message may have another seq.
    const last = begun && newest?.id !== begun.id ? begun : newest;
    // What was deleted while it waited is nobody's to read any more.
    const asked = taken.filter(({ deleted }) => !deleted);
    const isOver = !last || asked.length === 0 || (await this.#answer(asked, last, begun !== undefined));
    if (isOver) await waiting.endTurn(taken);
  }

  /** Whether it is over: answered, or refused for good. Otherwise the next bridge answers. */
  async #answer(asked: readonly Message[], of: MessageName, isRepeated: boolean): Promise<boolean> {
    const { stay, agent, limits, note } = this.#deps;
    const reply = stay.reply(of);
    if ((await reply.answered()) !== undefined) return true;
    if (stay.info?.closed) {
      note(`Not answered: #${of.seq}, because this server's operator has closed the room.`);
      return true;
    }
    if (stay.info?.agentsPaused && asked.every(({ sender }) => isAgent(sender))) {
      note(`Not answered: #${of.seq}, because agents wait here until a person has written.`);
      return true;
    }
    note(
      `Answering #${of.seq} of ${visibleLine(of.sender)}${asked.length > 1 ? `, and ${asked.length - 1} before it` : ""}.`,
    );
    if (this.#wantsNew) await agent.renew();
    this.#wantsNew = false;

    const text = new AnswerText(limits.mostBytes);
    const turn: Turn = { of, since: performance.now(), over: new AbortController(), end: undefined };
    this.#turn = turn;
    if (this.#leaving.signal.aborted) this.#endTurn({ why: "leaving" });
    const deadline = new Deadline(limits.timeOut, () => this.#endTurn({ why: "too late", after: limits.timeOut }));
    const sign = setInterval(() => show(reply, ""), SIGN_EVERY);
    show(reply, "");
    try {
      const prompt = await this.#prompt(asked, isRepeated);
      await agent.answer(
        prompt,
        {
          onText: (piece) => {
            show(reply, text.add(piece));
            if (text.isTooLong) this.#endTurn({ why: "too long" });
          },
          onActivity: (title) => {
            note(`… ${title}`);
            text.setApart();
            if (reply.bytesLeft > KEPT_FOR_TEXT)
              show(reply, `\n\n> \`${title.replaceAll("`", "'").slice(0, 100)}\`\n\n`);
          },
          onPermission: (request, signal) => deadline.hold(this.#deps.permission(request, of, signal)),
        },
        turn.over.signal,
      );
    } catch (error) {
      if (!turn.over.signal.aborted) {
        if (!(error instanceof AgentFailure)) throw error;
        note(`${error.message} ${error.details}`.trim());
        turn.end = { why: "failed", reason: error.message };
      }
    } finally {
      deadline.cancel();
      clearInterval(sign);
      this.#turn = undefined;
    }
    if (turn.end?.why === "leaving" && text.isEmpty) {
      reply.abort();
      return false;
    }
    const isPosted = await this.#post(reply, text.message(turn.end));
    if (isPosted) this.#answers++;
    return isPosted;
  }

  async #prompt(asked: readonly Message[], isRepeated: boolean): Promise<string> {
    const { stay, agent, rules, limits, isBare, instructions } = this.#deps;
    if (isBare) return bareQuestion(asked);
    const owners = await instructions();
    return promptOf({
      me: rules.me,
      room: stay.info?.name ?? stay.room,
      instructions: owners,
      ...this.#recent.tell(agent),
      asked,
      most: limits.context,
      isRepeated,
    });
  }

  /** Whether the room has it, or has refused it for good. */
  async #post(reply: Reply, content: string): Promise<boolean> {
    const { stay, note } = this.#deps;
    const tooLate = new AbortController();
    const giveUp = () => {
      setTimeout(() => tooLate.abort(), LAST_ANSWER).unref();
    };
    this.#leaving.signal.addEventListener("abort", giveUp);
    if (this.#leaving.signal.aborted) giveUp();
    try {
      const { seq } = await reply.end(content, { signal: tooLate.signal });
      if (seq !== undefined) this.#guards.answered(seq);
      return true;
    } catch (error) {
      if (tooLate.signal.aborted || stay.status === "closed") return false;
      if (!(error instanceof RoomError) || error.pending) throw error;
      note(`The room does not take the answer: ${visibleLine(error.message)}`);
      return true;
    } finally {
      this.#leaving.signal.removeEventListener("abort", giveUp);
    }
  }

  /** Ends the turn under way, if there is one, before its agent is done. */
  #endTurn(end: EarlyEnd): boolean {
    if (!this.#turn || this.#turn.over.signal.aborted) return false;
    this.#turn.end = end;
    this.#turn.over.abort();
    return true;
  }

  /** Does what a person has told the bridge. One that was obeyed before a restart has its reply, and is not obeyed again. */
  async #obey(order: Order, message: Message): Promise<void> {
    const { stay, note } = this.#deps;
    const reply = stay.reply(message);
    if ((await reply.answered()) !== undefined) return;
    note(`/${order} by ${visibleLine(message.sender)}`);
    const words = this.#do(order, message.sender);
    // Not waited for: what comes next is not to wait for a room that is away.
    void this.#post(reply, words).catch((error) => note(visibleLine(String(error.message))));
  }

  #do(order: Order, sender: string): string {
    switch (order) {
      case "stop":
        return this.#endTurn({ why: "stopped", by: sender }) ? "Stopped." : "There is nothing to stop.";
      case "new":
        this.#wantsNew = true;
        return "The next answer begins a new session.";
      case "status":
        return this.#status();
    }
  }

  #status(): string {
    const { agent, waiting } = this.#deps;
    const turn = this.#turn;
    const state = turn
      ? `Working on #${turn.of.seq} for ${Math.round((performance.now() - turn.since) / 1_000)} s`
      : "Waiting for a mention";
    const answers = this.#answers === 1 ? "1 answer" : `${this.#answers} answers`;
    return `${state}. ${answers} since the bridge began; ${waiting.length} to go. \`${agent.name.replaceAll("`", "'")}\``;
  }
}

/** Shows a piece of the answer, as long as there is room in the draft. The message is posted from what was kept. */
function show(reply: Reply, piece: string): void {
  if (reply.bytesLeft > 0) reply.write(piece);
}
