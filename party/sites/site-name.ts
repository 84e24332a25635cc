/** What a site may be called. Its name stands behind the names of its users: `anna@acme`. */

import { isHandle, parseHandle } from "../identity/handle.ts";
import { PREVIOUS_SITE } from "../identity/sender.ts";
import { type Fault, fault, isFault } from "../protocol.ts";

/** The name that somebody asks for, or why nobody can have it. Whether it is free only D1 can tell. */
export function parseSiteName(name: string): string | Fault {
  if (name === PREVIOUS_SITE)
    return fault("invalid", `A site can't be called "${PREVIOUS_SITE}": that name is reserved.`);
  const parsed = parseHandle(name);
  if (!isFault(parsed)) return parsed;
  return fault(parsed.fault, parsed.message.replace(/^handle must/, "A site's name must"));
}

/** Between a site's name and the rest of the id of one of its rooms. No site's name has it. */
const SEPARATOR = "--";

/** The site whose room has the id `room`, by its form alone: `acme` of `acme--first-post`. */
export function siteOfRoom(room: string): string | undefined {
  const end = room.indexOf(SEPARATOR);
  const name = room.slice(0, Math.max(0, end));
  return isHandle(name) && room.length > end + SEPARATOR.length ? name : undefined;
}

/** The site of the user `sender`: `acme` of `anna@acme`. Also the one of before, which no site is. */
export function siteOfSender(sender: string): string | undefined {
  const at = sender.indexOf("@");
  return at === -1 ? undefined : sender.slice(at + 1);
}

/** Whether `sender` is vouched for by a site. Who wrote on the previous server is not. */
export const isSiteUser = (sender: string): boolean => {
  const site = siteOfSender(sender);
  return site !== undefined && site !== PREVIOUS_SITE;
};
