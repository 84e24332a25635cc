/**
 * Looks at what goes by the clock while that is set ahead and back: quotas, asks, mutes and slow mode. It has a room of its
 * own for one jump. What it expects is what docs/guarantees.md says of a clock that jumps.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Key, Visitor } from "../processes/security/visitor.ts";
import type { Server } from "../processes/server.ts";
import { until } from "../processes/until.ts";
import type { FalseClock } from "./false-clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** New rooms in a day, and seconds between two messages of a sender. */
export const ROOMS_A_DAY = 3;
const SLOW = 2;

export class ClockWitness {
  readonly #visitor: Visitor;
  readonly #clock: FalseClock;
  readonly #room: string;
  readonly #owner: Key;
  readonly #writer: Key;
  #words = 0;

  private constructor(visitor: Visitor, clock: FalseClock, room: string, owner: Key, writer: Key) {
    this.#visitor = visitor;
    this.#clock = clock;
    this.#room = room;
    this.#owner = owner;
    this.#writer = writer;
  }

  static async begin(server: Server, clock: FalseClock): Promise<ClockWitness> {
    const visitor = new Visitor(server);
    const [owner, writer] = [await visitor.makeKey(), await visitor.makeKey()];
    const room = await visitor.makeRoom(owner.key, { slow: SLOW });
    const witness = new ClockWitness(visitor, clock, room, owner, writer);
    await witness.#writes("before any jump");
    return witness;
  }

  /** Sets the clock ahead by so many seconds and back again, and says what then is not as it should be. */
  async watch(seconds: number): Promise<string[]> {
    const wrong: string[] = [];
    const expectThat = (isSo: boolean, what: string) => void (isSo || wrong.push(what));
    const jump = seconds * 1_000;
    const short = await this.#ask(jump / 2);
    const long = await this.#ask(jump + HOUR);
    await this.#mute(jump / 2);
    const spender = await this.#visitor.makeKey();

    await this.#set(seconds);
    const written = await this.#writes("while the clock is ahead, when the mute is over");
    const ahead = Date.parse(written.createdAt) - Date.now();
    expectThat(Math.abs(ahead - jump) < 60_000, `the room's clock was ${ahead} ms ahead, not ${jump}: it is not set`);
    await until("an ask whose time is over has expired", async () => (await this.#answer(short))?.expired === true);
    expectThat((await this.#answer(long)) === undefined, "an ask has expired before its time");
    for (let count = 0; count < ROOMS_A_DAY; count++) await this.#visitor.makeRoom(spender.key);

    await this.#set(0);
    const refusal = await this.#visitor.call("POST", "/api/rooms", { key: spender.key, body: { name: "One more" } });
    expectThat(refusal.status === 429, `a room more than there are in a day is answered with ${refusal.status}`);
    const wait = Number(refusal.headers.get("retry-after"));
    expectThat(wait * 1_000 <= DAY, `who has used up a day's rooms waits for ${wait} s after the clock was set back`);
    const muted = await this.#visitor.say(this.#room, this.#writer.key, "too early");
    expectThat(
      muted.body?.error?.code === "muted",
      `a mute whose time is to come again is answered with ${muted.text}`,
    );
    await this.#visitor.call("DELETE", this.#mutePath, { key: this.#owner.key });
    await this.#writes("after the clock was set back, and no later than slow mode says");
    expectThat((await this.#answer(long)) === undefined, "an ask has expired by a clock that was set back");
    return wrong;
  }

  /** A server whose clock is set back starts its runtime anew. */
  async #set(seconds: number): Promise<void> {
    const before = this.#runtime;
    await this.#clock.set(seconds);
    if (seconds === 0) await until("another runtime runs", () => this.#runtime > 0 && this.#runtime !== before);
    const isThere = () => this.#visitor.call("GET", "/healthz").then(({ status }) => status === 200);
    await until("the server is there", () => isThere().catch(() => false));
  }

  /** The number of the runtime's process, as the server notes it; 0 while none runs. */
  get #runtime(): number {
    const [, runtime] = readFileSync(join(this.#visitor.server.stateDir, "server.pid"), "utf8").split("\n");
    return Number(runtime);
  }

  /** Writes as soon as that is allowed, within a minute. */
  async #writes(when: string): Promise<{ createdAt: string }> {
    const said = await until(`somebody may write ${when}`, async () => {
      const { status, body } = await this.#visitor.say(this.#room, this.#writer.key, `word ${++this.#words}`);
      return status === 201 ? body : undefined;
    });
    return said as { createdAt: string };
  }

  async #ask(within: number): Promise<number> {
    const ask = { options: ["yes", "no"], until: new Date(Date.now() + within).toISOString() };
    const { status, body, text } = await this.#visitor.say(this.#room, this.#owner.key, "Well?", { ask });
    if (status !== 201) throw new Error(`Nothing can be asked: ${text}`);
    return body.seq;
  }

  /** How the ask `seq` stands; `undefined`: it is open. */
  async #answer(seq: number): Promise<{ expired?: true } | undefined> {
    const { status, body } = await this.#visitor.call("GET", `/api/rooms/${this.#room}/messages/${seq}/answer`);
    return status === 204 ? undefined : body;
  }

  get #mutePath(): string {
    return `/api/rooms/${this.#room}/mutes/${this.#writer.handle}`;
  }

  async #mute(duration: number): Promise<void> {
    const body = { until: new Date(Date.now() + duration).toISOString() };
    const { status, text } = await this.#visitor.call("PUT", this.#mutePath, { key: this.#owner.key, body });
    if (status >= 300) throw new Error(`Nobody can be muted: ${text}`);
  }
}
