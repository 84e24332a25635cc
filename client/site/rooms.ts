/** The script of a page: the elements that its HTML names. */

import "./theme/theme-toggle.ts";
import "./room-list/room-list.ts";
import "./new-room/new-room.ts";
