/** The script of a page: the elements that its HTML names. */

import "./theme/theme-toggle.ts";
import "./room-list/room-list.ts";
import "./snippets/snippet-tabs.ts";
import "../widget/index.ts";
