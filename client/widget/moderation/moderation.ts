/**
 * What moderators do in a room, over HTTP, where the settings of a room are; and the parts of the screen for it. All of it
 * is loaded when a moderator first asks for it.
 */

import type { Credentials } from "../../stay/credentials.ts";
import { apiOf, type RoomAddress } from "../../stay/room-address.ts";
import { loadRenderer } from "../lazy-renderer.ts";
import "./mute.ts";
import "./panel.ts";

/** Until when, in ISO 8601; `null`: forever. */
export type MutedUntil = string | null;

export interface Mute {
  readonly sender: string;
  readonly until: MutedUntil;
  /** From its addresses nobody writes, either. */
  readonly address?: true;
}

/** A message that waits for a moderator. */
export interface Held {
  readonly id: string;
  readonly sender: string;
  readonly content: string;
}

/** Something that somebody who decides has done. */
export interface Deed {
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly deed: string;
  readonly target?: string;
  /** The role that was given. */
  readonly role?: string;
}

export interface DeedPage {
  readonly entries: readonly Deed[];
  readonly next: number | null;
}

/** All calls reject when the server refuses or is out of reach. */
export class Moderation {
  readonly #room: RoomAddress & { readonly credentials: Credentials | undefined };

  /** For `room`, in which who has its credentials decides: a connection. */
  constructor(room: RoomAddress & { readonly credentials: Credentials | undefined }) {
    this.#room = room;
  }

  /** Who is muted now. */
  async mutes(): Promise<readonly Mute[]> {
    const { mutes } = await this.#call<{ mutes: Mute[] }>("GET", "/mutes");
    return mutes.filter(({ until }) => until === null || Date.parse(until) > Date.now());
  }

  /** Mutes `sender` and their agents, and with `address` whoever else writes from where they do. */
  mute(sender: string, { until, address }: { until: MutedUntil; address: boolean }): Promise<void> {
    return this.#call("PUT", `/mutes/${encodeURIComponent(sender)}`, { until, ...(address && { address }) });
  }

  /** What waits for a moderator, oldest first. */
  async held(): Promise<readonly Held[]> {
    return (await this.#call<{ held: Held[] }>("GET", "/held")).held;
  }

  /** Lets a message that waits into the log, or drops it. */
  decide(id: string, verdict: "approve" | "refuse"): Promise<void> {
    return this.#call("POST", `/held/${id}/${verdict}`);
  }

  /** Who did what, newest first, from before the deed `before`. */
  deeds(before?: number | null): Promise<DeedPage> {
    return this.#call("GET", `/moderation?limit=20${before ? `&cursor=${before}` : ""}`);
  }

  unmute(sender: string): Promise<void> {
    return this.#call("DELETE", `/mutes/${encodeURIComponent(sender)}`);
  }

  /** Deletes everything that `sender` and their agents have said. */
  erase(sender: string): Promise<void> {
    return this.#call("DELETE", `/messages?sender=${encodeURIComponent(sender)}`);
  }

  async #call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const { credentials } = this.#room;
    // They come with what reads pages: a part does not import from another one.
    const { headersOf } = await loadRenderer();
    const headers = { ...(credentials && (await headersOf(credentials))), "content-type": "application/json" };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(`${apiOf(this.#room)}${path}`, init);
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const text = await response.text();
    return text === "" ? (undefined as Answer) : (JSON.parse(text) as Answer);
  }
}
