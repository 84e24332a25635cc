/** The script of `/r/:id`: its elements, and the height that an on-screen keyboard leaves. */

import "./theme/theme-toggle.ts";
import "./room/room-page.ts";

// On iOS the keyboard lies over the page, and only the visual viewport says how much of it is left.
const viewport = window.visualViewport;
viewport?.addEventListener("resize", () => {
  // Somebody who zooms in wants to see less of the page, not a smaller one.
  if (viewport.scale === 1) document.documentElement.style.setProperty("--visible-height", `${viewport.height}px`);
});
