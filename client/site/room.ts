/** The script of `/r/:id`: its elements, what they tell each other, and the height that an on-screen keyboard leaves. */

import "./theme/theme-toggle.ts";
import { Account } from "./account/account.ts";
import type { Room } from "./api.ts";
import { RoomPage } from "./room-page/room-page.ts";
import { RoomSettings } from "./settings/room-settings.ts";
import { ShareRoom } from "./share/share-room.ts";

const elements = [...document.querySelectorAll("site-room, site-share, site-settings")];

function show(details: Room | undefined): void {
  for (const element of elements) {
    if (element instanceof RoomPage) element.details = details;
    if (element instanceof ShareRoom || element instanceof RoomSettings) element.room = details;
  }
}

for (const element of elements) {
  element.addEventListener("room-loaded", (event) => show((event as CustomEvent<Room | undefined>).detail));
  element.addEventListener("room-changed", (event) => show((event as CustomEvent<Room>).detail));
  element.addEventListener("room-deleted", () => location.assign("/rooms"));
}

document.addEventListener("meet-ai-key", (event) => {
  const account = document.querySelector("site-account");
  if (!(account instanceof Account)) return;
  event.preventDefault();
  account.open();
});

// On iOS the keyboard lies over the page, and only the visual viewport says how much of it is left.
const viewport = window.visualViewport;
viewport?.addEventListener("resize", () => {
  // Somebody who zooms in wants to see less of the page, not a smaller one.
  if (viewport.scale === 1) document.documentElement.style.setProperty("--visible-height", `${viewport.height}px`);
});
