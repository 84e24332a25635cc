/**
 * What a room keeps of a client's address, so that a mute reaches who comes back under another name: a tag, never the
 * address itself.
 *
 * The tag is an HMAC under the deployment's pepper. Another room has another tag for the same address, so that two rooms
 * can't be compared. Who has the pepper can try all addresses: it is kept like a secret, and is in a backup.
 */

import { BoundedMap } from "../limits/bounded-map.ts";
import { OTHER_WORKERS } from "./key-directory.ts";

/** Tags that are remembered, so that not every message costs a digest. */
const REMEMBERED = 1_000;
/** Bytes of a tag. */
const BYTES = 12;

/** Addresses that say nothing of who is behind them, in the form in which they are counted. */
const SAYS_NOTHING: readonly string[] = ["unknown", OTHER_WORKERS];

export class AddressTags {
  readonly #room: string;
  readonly #known = new BoundedMap<string, string>(REMEMBERED);

  /** For the room with the id `room`. */
  constructor(room: string) {
    this.#room = room;
  }

  /** The tag of `address`, in its counted form, under `pepper`; `undefined` where it says nothing of who is behind it. */
  async of(address: string, pepper: string): Promise<string | undefined> {
    if (SAYS_NOTHING.includes(address)) return undefined;
    const name = `${pepper}\n${address}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const encoder = new TextEncoder();
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", encoder.encode(pepper), algorithm, false, ["sign"]);
    // A guest's name is made of 64 characters of hex under the same pepper: nothing that begins like this is one.
    const digest = await crypto.subtle.sign("HMAC", key, encoder.encode(`address\n${this.#room}\n${address}`));
    const tag = Array.from(new Uint8Array(digest, 0, BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#known.set(name, tag);
    return tag;
  }
}
