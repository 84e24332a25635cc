/** Only under `npm run dev`: loads the page again when there is something new. `api/local/dev.ts` writes what it asks. */

/** How often a page in view asks, ms. A page out of view asks when it comes back. */
const ASK_EVERY = 500;

let shown: string | undefined;

async function ask(): Promise<void> {
  if (document.hidden) return;
  try {
    const response = await fetch("/build.txt", { cache: "no-store" });
    if (!response.ok) return;
    const build = await response.text();
    shown ??= build;
    if (build !== shown) location.reload();
  } catch {
    // The server is taking up the new build.
  }
}

setInterval(ask, ASK_EVERY);
document.addEventListener("visibilitychange", ask);
