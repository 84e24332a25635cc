/** A person who changes their key again and again, over connections that are cut, as a careful client does. */

import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { newKey } from "../../party/identity/sender.ts";
import type { Server } from "../processes/server.ts";
import type { Random } from "./random.ts";

/** A connection is cut within so many ms. */
const CUT_WITHIN = 30;

export class RotatingPerson {
  readonly #server: Server;
  readonly #random: Random;
  readonly #handle: string;
  /** The key that was valid when this person last heard so. */
  #key: string;
  /** A key of their own making whose change was not answered yet: it may be the valid one. */
  #inDoubt: string | undefined;
  /** A key of the server's making whose first use was not answered: it may have ended the old one. */
  #inDoubtOfServer: string | undefined;
  #isOver = false;
  #loop: Promise<void> | undefined;
  /** How often a change was answered. */
  changes = 0;

  private constructor(server: Server, random: Random, { key, handle }: { key: string; handle: string }) {
    this.#server = server;
    this.#random = random;
    this.#handle = handle;
    this.#key = key;
  }

  static async begin(server: Server, random: Random): Promise<RotatingPerson> {
    const response = await fetch(`${server.url}/api/keys`, { method: "POST" });
    if (response.status !== 201) throw new Error(`There is no key to be had: ${await response.text()}`);
    const person = new RotatingPerson(server, random, (await response.json()) as { key: string; handle: string });
    person.#loop = person.#rotate();
    return person;
  }

  /** Stops, and says what is wrong with the keys that this person holds; `undefined` when one of them is valid. */
  async end(): Promise<string | undefined> {
    this.#isOver = true;
    await this.#loop;
    const answers: string[] = [];
    for (const key of this.#held) {
      const response = await this.#call("/api/keys/me", { headers: bearer(key) });
      const body = (await response.json()) as { handle?: string };
      if (response.status === 200 && body.handle === this.#handle) return undefined;
      answers.push(`${response.status} ${JSON.stringify(body)}`);
    }
    return `${this.#handle}: none of ${answers.length} keys is valid: ${answers.join(", ")}`;
  }

  get #held(): string[] {
    return [this.#key, this.#inDoubt, this.#inDoubtOfServer].filter((key) => key !== undefined);
  }

  async #rotate(): Promise<void> {
    while (!this.#isOver) {
      await this.#settle().catch(() => undefined);
      const how = this.#inDoubt !== undefined || this.#random.next() < 0.5 ? "own" : "given";
      await (how === "own" ? this.#swap() : this.#take()).catch(() => undefined);
      await pause(this.#random.between(1, 40));
    }
  }

  /** Uses a key of the server's making once more, whose first use was not answered. */
  async #settle(): Promise<void> {
    const key = this.#inDoubtOfServer;
    if (key === undefined) return;
    const { status } = await this.#call("/api/keys/me", { headers: bearer(key) });
    if (status === 200) this.#key = key;
    if (status === 200 || status === 401) this.#inDoubtOfServer = undefined;
  }

  /** Puts a key of this person's own making in the place of theirs; asks again with the same one until it is answered. */
  async #swap(): Promise<void> {
    this.#inDoubt ??= newKey();
    const own = this.#inDoubt;
    const body = JSON.stringify({ keyHash: createHash("sha256").update(own).digest("hex") });
    const headers = { ...bearer(this.#key), "content-type": "application/json" };
    const response = await this.#call("/api/keys/me/rotate", { method: "POST", headers, body, ...this.#cut() });
    if (response.status !== 200) return;
    this.#key = own;
    this.#inDoubt = undefined;
    this.changes++;
  }

  /**
   * Takes a key of the server's making. Its first use ends the old one, so it is used before the old one is forgotten: an
   * earlier request that was cut may still be on its way, and give another key in its place.
   */
  async #take(): Promise<void> {
    const init = { method: "POST", headers: bearer(this.#key), ...this.#cut() };
    const response = await this.#call("/api/keys/me/rotate", init);
    if (response.status !== 200) return;
    const { key } = (await response.json()) as { key: string };
    this.#inDoubtOfServer = key;
    this.changes++;
    await this.#settle();
  }

  /** Every second call is cut. */
  #cut(): { signal?: AbortSignal } {
    return this.#random.next() < 0.5 ? { signal: AbortSignal.timeout(this.#random.between(1, CUT_WITHIN)) } : {};
  }

  #call(path: string, init: RequestInit): Promise<Response> {
    return fetch(this.#server.url + path, init);
  }
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
