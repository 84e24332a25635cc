/**
 * What the widget keeps in the browser. For good: a guest's secret and by which
 * invite they are in a room, unfinished text, how far one has read. For as long as
 * the tab: messages on their way.
 */

import { browserStorage } from "../stay/storage.ts";

export const deviceMemory = browserStorage(() => localStorage);
export const tabMemory = browserStorage(() => sessionStorage);

/** The name under which something about a room is kept. */
export const memoryOf = (what: "read" | "text" | "pending" | "invite", server: string, room: string): string =>
  `meet-ai:${what}:${server}/${room}`;
