/** The script of `/`: its elements, and the key that this tab keeps into the lobby. */

import "./theme/theme-toggle.ts";
import "./room-list/room-list.ts";
import "./snippets/snippet-tabs.ts";
import "../widget/index.ts";
import { session } from "./session.ts";

const lobby = document.querySelector("meet-ai-room");

function enter(): void {
  if (lobby) lobby.key = session.current?.key;
}

enter();
session.addEventListener("change", enter);
