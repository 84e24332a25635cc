/** Keys: made without sign-up, shown once, stored as their SHA-256. The only SQL that makes rows in `api_keys`. */

import { Hono } from "hono";
import { newHandle, newKey, newKeyId, sha256Hex } from "../party/identity/sender.ts";
import { fault } from "../party/protocol.ts";
import { clientAddress } from "./address.ts";
import { Refused } from "./errors.ts";
import { takeDaily } from "./quota.ts";
import { accept, authenticate } from "./request.ts";

export const keys = new Hono<{ Bindings: Env }>();

keys.post("/", async (c) => {
  const limiter = c.env.LIMITER.getByName(`address:${clientAddress(c.req.raw.headers)}`);
  const { at } = await takeDaily(c, limiter, "keys");
  try {
    return c.json(await createKey(c.env.DB), 201);
  } catch (error) {
    await limiter.giveBackDaily("keys", at);
    throw error;
  }
});

keys.get("/me", async (c) => {
  const { owner } = await authenticate(c);
  const query = "SELECT last_used FROM api_keys WHERE id = ?";
  const row = await c.env.DB.prepare(query).bind(owner.id).first<{ last_used: string | null }>();
  return c.json({ id: owner.id, handle: owner.handle, createdAt: owner.createdAt, lastUsed: row?.last_used ?? null });
});

keys.post("/me/rotate", async (c) => {
  const { limiter } = await authenticate(c);
  const key = newKey();
  const { id, handle, createdAt } = accept(await limiter.rotate(await sha256Hex(key)));
  return c.json({ key, id, handle, createdAt });
});

keys.delete("/me", async (c) => {
  const { limiter } = await authenticate(c);
  const refusal = await limiter.revoke();
  if (refusal) throw new Refused(refusal);
  return c.body(null, 204);
});

/** Handles are tried until one is free; with a number added, one always is. */
const ATTEMPTS = 12;

async function createKey(db: D1Database) {
  const key = newKey();
  const id = newKeyId();
  const hash = await sha256Hex(key);
  const createdAt = new Date().toISOString();
  const query = `INSERT INTO api_keys (id, key_hash, handle, created_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (handle) DO NOTHING`;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const handle = newHandle(attempt);
    const { meta } = await db.prepare(query).bind(id, hash, handle, createdAt).run();
    if (meta.changes > 0) return { key, id, handle, createdAt };
  }
  throw new Refused(fault("unavailable", "No free handle was found; try again.", 1));
}
