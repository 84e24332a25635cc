/** What people are called in the settings of a room: as in the room beside them. */

import type { MeetAiRoom } from "../../widget/index.ts";

/** The name of `sender` as the page's room shows it: a site's user by what the site calls them, and with the site. */
export const shownName = (sender: string): string =>
  document.querySelector<MeetAiRoom>("meet-ai-room")?.nameOf(sender) ?? sender;
