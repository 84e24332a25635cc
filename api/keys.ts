/** Keys: made without sign-up, shown once, stored as their SHA-256. */

import { Hono } from "hono";
import { configurationOf } from "../party/configuration.ts";
import { refuseHandle } from "../party/identity/handle.ts";
import { type KeyOwner, KeyTable } from "../party/identity/key-table.ts";
import { findPerson } from "../party/identity/person-of-key.ts";
import { addressName } from "../party/identity/principal.ts";
import { newHandle, newKey, newKeyId, sha256Hex } from "../party/identity/sender.ts";
import { repeatable } from "../party/object-call.ts";
import { fault, isFault } from "../party/protocol.ts";
import { clientAddress } from "./address.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { forgetQuota, takeDaily } from "./quota.ts";
import { accept, authenticate, bodyIfAny, type Call, NO_KEY, presentedHash } from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { KeyRotation, NewKeyWish } from "./schemas/keys.ts";

export const keys = new Hono<{ Bindings: Env }>();

keys.post("/", async (c) => {
  const { handle, keyHash } = await bodyIfAny(c, NewKeyWish);
  if (handle !== undefined) refuseReserved(c, handle);
  // Whether a handle is free, or a key is there already, costs a query.
  if (handle !== undefined || keyHash !== undefined) await spendLookup(c);
  const table = new KeyTable(c.env.DB);
  const earlier = keyHash === undefined ? undefined : await madeBefore(table, keyHash, handle);
  if (earlier) return c.json(earlier);
  const quota = c.env.QUOTA.getByName(addressName(clientAddress(c.req.raw.headers)));
  const { at } = await takeDaily(c, quota, "keys");
  let made: Made | undefined;
  try {
    made = await createKey(table, handle, keyHash);
  } finally {
    if (!made?.isNew) {
      await quota.giveBackDaily("keys", at);
      forgetQuota(c);
    }
  }
  const { isNew, ...shown } = made;
  return c.json(shown, isNew ? 201 : 200);
});

keys.get("/me", async (c) => {
  const { owner } = await authenticate(c);
  return c.json({ ...owner, lastUsed: await new KeyTable(c.env.DB).lastUsed(owner.id) });
});

keys.post("/me/rotate", async (c) => {
  const { keyHash: to } = await bodyIfAny(c, KeyRotation);
  if (to !== undefined) return c.json(await swapKey(c, to));
  const { keyHash, person } = await authenticate(c);
  const key = newKey();
  const owner = accept(await person.offerKey(keyHash, await sha256Hex(key)));
  return c.json({ key, ...owner });
});

keys.delete("/me", async (c) => {
  const { keyHash, person } = await authenticate(c);
  const refusal = await person.revoke(keyHash);
  if (refusal) throw new Refused(refusal);
  return c.body(null, 204);
});

/**
 * Puts the key with the hash `to` in the place of the one that is presented. When the presented one is not valid any more,
 * this may be a repetition whose first answer was lost: then `to` leads to the person, and their object knows.
 */
async function swapKey(c: Call, to: string): Promise<KeyOwner> {
  const { headers } = c.req.raw;
  const presented = await presentedHash(headers);
  if (presented === undefined) throw new Refused(NO_KEY);
  const address = clientAddress(headers);
  let principal = await findPerson(c.env, presented, address, requestIdOf(c));
  if (isFault(principal) && principal.fault === "unauthorized")
    principal = await findPerson(c.env, to, address, requestIdOf(c));
  const name = accept(principal);
  return accept(await repeatable(async () => await c.env.PERSON.getByName(name).swapKey(presented, to)));
}

/** Refuses a handle that the deployment keeps for itself. */
function refuseReserved(c: Call, handle: string): void {
  const refusal = refuseHandle(handle, configurationOf(c.env).reservedHandles);
  if (refusal) throw new Refused(refusal);
}

/** The person who was made with the key of this hash, when it was asked for before and the answer was lost. */
async function madeBefore(table: KeyTable, keyHash: string, handle: string | undefined): Promise<KeyOwner | undefined> {
  const holder = await table.holderOf(keyHash);
  if (!holder) return undefined;
  const { isValid, ...owner } = holder;
  if (isValid && (handle === undefined || handle === owner.handle)) return owner;
  throw new Refused(fault("conflict", "This keyHash can't be used: make another key."));
}

/** Handles are tried until one is free; with a number added, one always is. */
const ATTEMPTS = 12;

/** A person who was made, with their key where they do not have it yet. */
type Made = KeyOwner & { readonly key?: string; readonly isNew: boolean };

/**
 * Makes a person with the handle `chosen`, or with one of two words: with the key of the hash `keyHash`, which its holder
 * has, or with a new one.
 */
async function createKey(table: KeyTable, chosen: string | undefined, keyHash: string | undefined): Promise<Made> {
  const key = newKey();
  const id = newKeyId();
  const hash = keyHash ?? (await sha256Hex(key));
  const createdAt = new Date().toISOString();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const owner = { id, handle: chosen ?? newHandle(attempt), createdAt };
    if (await table.insert(owner, hash)) return { ...(keyHash === undefined && { key }), ...owner, isNew: true };
    // Two at once, for the same key.
    const other = keyHash === undefined ? undefined : await madeBefore(table, keyHash, chosen);
    if (other) return { ...other, isNew: false };
    if (chosen !== undefined) throw new Refused(fault("conflict", `"${chosen}" is taken; choose another handle.`));
  }
  throw new Refused(fault("unavailable", "No free handle was found; try again.", 1));
}
