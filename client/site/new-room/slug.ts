import { isRoomId } from "../../../party/protocol.ts";

/** A room's id is at most this long. */
const LONGEST = 63;

/**
 * The address that a name suggests: `Team chat, 2026` makes `team-chat-2026`. Empty where nothing of the name can be in
 * an address.
 */
export function slugOf(name: string): string {
  const slug = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, LONGEST)
    .replace(/-$/, "");
  return isRoomId(slug) ? slug : "";
}
