/** When the frame that is being prepared is on the screen; at once if the page is hidden. */
export function painted(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const post = () => port2.postMessage(undefined);
  if (document.visibilityState === "visible") requestAnimationFrame(post);
  else post();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      // Ports that are joined and open are never collected.
      port1.close();
      resolve();
    };
  });
}
