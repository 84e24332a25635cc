/**
 * Moderating a room over HTTP: for its owner, its moderators and the operator. The room has the rules
 * (`party/moderation/`); mutes stand in its row.
 */

import { Hono } from "hono";
import { fault } from "../party/protocol.ts";
import type { AddressMute, RoomRecord, RoomSettings } from "../party/room-record.ts";
import { clientAddress } from "./address.ts";
import { knownCaller } from "./caller.ts";
import { Refused } from "./errors.ts";
import { changeRoom, moderatedRoom, moderatorsRoom } from "./own-room.ts";
import { accept, bodyIfAny, type Call, queryOf, roomIdOf } from "./request.ts";
import { askRoom, type Room } from "./room-object.ts";
import { DeedQuery, NewMute } from "./schemas/moderation.ts";
import { parseSender } from "./schemas/sender.ts";

export const moderation = new Hono<{ Bindings: Env }>();

/** Mutes that one room may have, and of these with addresses. */
const MOST_MUTES = { names: 500, addresses: 100 };
/** An address is muted for so long at most, ms: 30 days. Then it may be somebody else's. */
const LONGEST_ADDRESS_MUTE = 30 * 86_400_000;

moderation.get("/:id/mutes", async (c) => {
  const { settings } = await moderatorsRoom(c);
  const mutes = Object.entries(standing(settings.mutes, Date.now()));
  return c.json({ mutes: mutes.map(([sender, until]) => shown(settings, sender, until)) });
});

moderation.put("/:id/mutes/:sender", async (c) => {
  const sender = senderOf(c);
  const { until = null, address = false } = await bodyIfAny(c, NewMute).catch(async (error) => {
    await moderatedRoom(c, sender, "name");
    throw error;
  });
  const { room, by, tags } = await moderatedRoom(c, sender, address ? "address" : "name");
  const change = ({ settings }: { settings: RoomSettings }) => muted(settings, sender, until, tags);
  const detail = { until, ...(address && { address: true as const }) };
  const changed = await changeRoom(c, room, change, { by, deed: "mute", target: sender, detail });
  return c.json(shown(changed.settings, sender, until));
});

moderation.delete("/:id/mutes/:sender", async (c) => {
  const sender = senderOf(c);
  const { room, by } = await moderatedRoom(c, sender, "name");
  const change = ({ settings }: { settings: RoomSettings }) => {
    const { [sender]: _, ...mutes } = settings.mutes;
    return { settings: { mutes, addressMutes: settings.addressMutes.filter((mute) => mute.sender !== sender) } };
  };
  // Lifted twice it is lifted once: nothing has changed then that could be told.
  const deed = { by, deed: "unmute", target: sender } as const;
  await changeRoom(c, room, change, Object.hasOwn(room.settings.mutes, sender) ? deed : undefined);
  return c.body(null, 204);
});

moderation.get("/:id/held", async (c) => {
  const caller = await knownCaller(c);
  const address = clientAddress(c.req.raw.headers);
  const held = await askRoom(c, roomIdOf(c), async (room, record) => await room.held(record, caller, address));
  return c.json({ held });
});

moderation.post("/:id/held/:held/approve", async (c) => {
  const [caller, id, address] = [await knownCaller(c), heldOf(c), clientAddress(c.req.raw.headers)];
  const ask = async (room: Room, record: RoomRecord | undefined) => await room.approve(record, caller, address, id);
  return c.json(await askRoom(c, roomIdOf(c), ask));
});

moderation.post("/:id/held/:held/refuse", async (c) => {
  const [caller, id, address] = [await knownCaller(c), heldOf(c), clientAddress(c.req.raw.headers)];
  const ask = async (room: Room, record: RoomRecord | undefined) => await room.refuseHeld(record, caller, address, id);
  await askRoom(c, roomIdOf(c), ask);
  return c.body(null, 204);
});

moderation.get("/:id/moderation", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const { limit, cursor } = queryOf(c, DeedQuery);
  const address = clientAddress(c.req.raw.headers);
  return c.json(await askRoom(c, id, async (room, record) => await room.deeds(record, caller, address, cursor, limit)));
});

/** The held message in the path. */
function heldOf(c: Call): string {
  const id = c.req.param("held") ?? "";
  if (/^[\w-]{1,32}$/.test(id)) return id;
  throw new Refused(fault("not_found", "No such message waits here."));
}

const senderOf = (c: Call): string => accept(parseSender(c.req.param("sender") ?? ""));

/** The settings with `sender` muted, in place of an earlier mute of theirs. */
function muted(
  { mutes, addressMutes }: RoomSettings,
  sender: string,
  until: string | null,
  tags: readonly string[],
): { settings: Partial<RoomSettings> } {
  const now = Date.now();
  const names = { ...standing(mutes, now), [sender]: until };
  const others = addressMutes.filter((mute) => mute.sender !== sender && Date.parse(mute.until) > now);
  const end = new Date(now + LONGEST_ADDRESS_MUTE).toISOString();
  const own = { sender, tags, until: until !== null && until < end ? until : end };
  const addresses = tags.length === 0 ? others : [...others, own];
  if (Object.keys(names).length > MOST_MUTES.names) {
    throw new Refused(fault("conflict", `A room has at most ${MOST_MUTES.names} mutes; lift one first.`));
  }
  if (addresses.length > MOST_MUTES.addresses) {
    const words = `A room has at most ${MOST_MUTES.addresses} mutes with an address; lift one first.`;
    throw new Refused(fault("conflict", words));
  }
  return { settings: { mutes: names, addressMutes: addresses } };
}

/** The mutes that have not ended by themselves. */
const standing = (mutes: RoomSettings["mutes"], now: number): RoomSettings["mutes"] =>
  Object.fromEntries(Object.entries(mutes).filter(([, until]) => until === null || Date.parse(until) > now));

/** A mute as moderators are shown it: whether the address is muted, and never which. */
function shown({ addressMutes }: RoomSettings, sender: string, until: string | null) {
  const address: AddressMute | undefined = addressMutes.find((mute) => mute.sender === sender);
  return { sender, until, ...(address && { address: true as const, addressUntil: address.until }) };
}
