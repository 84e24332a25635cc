/** Finds the Chromium that the browser tests drive; on Debian as root it is installed when there is none. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const KNOWN_PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** As root, and beside other work, Chromium starts only with these; it has no business on the network either. */
export const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-dev-shm-usage",
];

/** It starts within a second or two; on a busy machine the half minute that Playwright gives it may be too little, ms. */
export const STARTS_WITHIN = 150_000;

/** The path of a Chromium: `CHROME_PATH`, or where systems put it; `undefined` when there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CHROME_PATH;
  if (named) return existsSync(named) ? named : undefined;
  return KNOWN_PLACES.find((path) => existsSync(path));
}

/** `findChromium`, after an attempt to install it. Throws an error that says how to get it. */
export function requireChromium(): string {
  const found = findChromium() ?? (installs() ? findChromium() : undefined);
  if (found) return found;
  throw new Error(
    "The browser tests need Chromium. On Debian and Ubuntu: `sudo apt-get install chromium`. " +
      "Elsewhere install Chrome or Chromium and name it: `CHROME_PATH=/path/to/chrome npm test`.",
  );
}

/** Tries Debian's package, where we may. */
function installs(): boolean {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return false;
  console.log("Chromium is not here; installing Debian's package …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    execFileSync("apt-get", ["update"], { stdio: "ignore", env });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], { stdio: "ignore", env });
    return true;
  } catch {
    return false;
  }
}
