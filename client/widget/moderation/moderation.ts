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

  /** Mutes `sender` and their agents. */
  mute(sender: string, until: MutedUntil): Promise<void> {
    return this.#call("PUT", `/mutes/${encodeURIComponent(sender)}`, { until });
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
