/**
 * Only under `npm run dev`: loads the page again when there is something newer. `api/local/dev.ts` writes `/build.txt`,
 * the names of the builds that are served, "client worker", and the name of its own build into each page.
 */

/** How often a page in view asks, ms. A page out of view asks when it comes back. */
const ASK_EVERY = 500;

const client = document.querySelector<HTMLMetaElement>("meta[name=build]")?.content;
let worker: string | undefined;

async function ask(): Promise<void> {
  if (document.hidden) return;
  const names = await servedBuilds();
  if (names === undefined) return;
  const served = names.split(" ");
  worker ??= served[1];
  if (served[0] !== client || served[1] !== worker) location.reload();
}

/** Undefined while the server takes up a build. */
async function servedBuilds(): Promise<string | undefined> {
  try {
    const response = await fetch("/build.txt", { cache: "no-store" });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

setInterval(ask, ASK_EVERY);
document.addEventListener("visibilitychange", ask);
