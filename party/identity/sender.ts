/**
 * Who is who: keys, guests, and the sender string that the server writes under every message (promise 10).
 *
 * Everything here is a pure function of its arguments and of the runtime's randomness; looking a key up is the Limiter's.
 */

import { customAlphabet, nanoid } from "nanoid";
import type { MemberRole } from "../protocol.ts";
import { OPERATOR, personName } from "./principal.ts";
import { ADJECTIVES, ANIMALS } from "./words.ts";

/** Somebody who may write. Kept in a socket's attachment, so it holds nothing secret. */
export interface Participant {
  /** What stands under their messages. */
  readonly sender: string;
  /** The name of the Limiter that counts their messages: `person:<id>`, `address:<address>` or `subject:<site>/<user>`. */
  readonly principal: string;
  /** The id of their row among the keys, which stays when a key is rotated; absent for a guest. */
  readonly keyId?: string;
  /**
   * The key that they came with, as SHA-256 in hex, or the thumbprint of the key by which their site has vouched for them;
   * absent for a guest. When it ends, what was opened with it ends.
   */
  readonly keyHash?: string;
  /** A site vouches for them, in this room and for a time. */
  readonly vouched?: Voucher;
  /** The tag of the address that they come from (`address-tag.ts`), where it says who is behind it. */
  readonly behind?: string;
  /** The deployment's operator, who may do in any room what its owner may. */
  readonly isOperator?: true;
}

/** What a site's token says of its user. */
export interface Voucher {
  readonly role: MemberRole;
  /** Until when they are let in by it, ms since 1970. */
  readonly until: number;
}

/** A participant as the first version kept them with a socket: the principal was their key. */
const FIRST_VERSION = /^key:([0-9a-f]{64})$/;

/** A participant that was kept with a socket, perhaps by the first version, in today's form. */
export function currentParticipant(kept: Participant): Participant {
  const [, keyHash] = FIRST_VERSION.exec(kept.principal) ?? [];
  if (keyHash === undefined || kept.keyId === undefined) return kept;
  return { ...kept, principal: personName(kept.keyId), keyHash };
}

/** A new key: `mai_` and 24 characters of nanoid's alphabet, 144 bits. */
export function newKey(): string {
  return `mai_${nanoid(24)}`;
}

/** A new id for a key's row. */
export function newKeyId(): string {
  return nanoid(12);
}

/** A generated room id. Lowercase letters and digits only, without those that look like each other. */
export const newRoomId = customAlphabet("23456789abcdefghjkmnpqrstuvwxyz", 12);

/** A handle of two words; `attempt` above 3 adds a number, so that there is always a free one. */
export function newHandle(attempt: number): string {
  const [a, b, c] = crypto.getRandomValues(new Uint32Array(3)) as unknown as [number, number, number];
  const words = handleWords(a, b);
  return attempt > 3 ? `${words}-${2 + (c % 9998)}` : words;
}

/** SHA-256 of `text` in lowercase hex: the only form in which a key is kept. */
export async function sha256Hex(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/**
 * The sender string of a guest: `~brisk-lynx-4f2a9c`, always the same for one secret in one deployment.
 *
 * It is made from HMAC-SHA-256 of the secret's SHA-256 under the deployment's pepper. Without the pepper its 38 bits
 * could be searched on one graphics card in a minute, and a guest's name be taken; with it, each guess is a request.
 */
export async function guestSender(secret: string, pepper: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(pepper), algorithm, false, ["sign"]);
  const digest = await crypto.subtle.sign("HMAC", key, encoder.encode(await sha256Hex(secret)));
  const view = new DataView(digest);
  return `~${handleWords(view.getUint32(0), view.getUint32(4))}-${hex(new Uint8Array(digest, 8, 3))}`;
}

/** The holder of the key with this SHA-256 in hex, or with `as` an agent of theirs. */
export function participantOf(owner: { id: string; handle: string }, keyHash: string, as?: string): Participant {
  const sender = as === undefined ? owner.handle : `${owner.handle}/${as}`;
  return { sender, principal: personName(owner.id), keyId: owner.id, keyHash };
}

/** The operator. The name is reserved, so nobody else has it. */
export const operator: Participant = { sender: OPERATOR, principal: OPERATOR, isOperator: true };

/** Whether `sender` is a person's agent. */
export const isAgent = (sender: string): boolean => sender.includes("/");

/** Whether `sender` is a guest. */
export const isGuest = (sender: string): boolean => sender.startsWith("~");

/** The person's handle in `sender`: `swift-otter` of `swift-otter/claude`. */
export const personOf = (sender: string): string => sender.split("/", 1)[0] as string;

/**
 * The site whose name stands behind those who wrote on the previous server without a key that came along: `anna@before`.
 * Handles, agents' names and guests' names have no `@`, so nobody can take such a name. No site may be registered as this.
 */
export const PREVIOUS_SITE = "before";

/** The sender of messages that `name` wrote on the previous server. */
export const previousSender = (name: string): string => `${name}@${PREVIOUS_SITE}`;

function handleWords(a: number, b: number): string {
  return `${ADJECTIVES[a % ADJECTIVES.length]}-${ANIMALS[b % ANIMALS.length]}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
