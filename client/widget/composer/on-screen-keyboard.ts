/**
 * Keeps the field above an on-screen keyboard. Some browsers lay the keyboard over the page without making the page any
 * smaller; the visual viewport is what remains. The room gives way from below, and the page itself is not scrolled.
 */

/** Watches until the returned function is called; then everything is as it was. */
export function avoidKeyboard(room: HTMLElement, viewport: VisualViewport | null): () => void {
  if (!viewport) return () => {};
  const giveWay = () => {
    room.style.paddingBlockEnd = "";
    const covered = room.getBoundingClientRect().bottom - (viewport.offsetTop + viewport.height);
    // Zoomed in, the viewport is small for another reason. A room that reaches below the fold has not been covered.
    const isKeyboard = viewport.scale === 1 && viewport.height < document.documentElement.clientHeight - 100;
    if (isKeyboard && covered > 0) room.style.paddingBlockEnd = `${covered}px`;
  };
  viewport.addEventListener("resize", giveWay);
  viewport.addEventListener("scroll", giveWay);
  return () => {
    viewport.removeEventListener("resize", giveWay);
    viewport.removeEventListener("scroll", giveWay);
    room.style.paddingBlockEnd = "";
  };
}
