/**
 * Finds the proxies with which the configurations of the documents are tried. On Debian their packages are unpacked into
 * a folder when they are not installed: installing them would start services on this machine's ports.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../api/local/root.ts";

/** Where Debian has each. */
const PATHS = { nginx: "usr/sbin/nginx", caddy: "usr/bin/caddy" } as const;

export type ProxyName = keyof typeof PATHS;

export const PROXIES = Object.keys(PATHS) as ProxyName[];

const UNPACKED = join(root, "node_modules/.cache/meet-ai-proxies");

/** The path of a proxy's program; `undefined` when it is not here. */
export function findProxy(proxy: ProxyName): string | undefined {
  return ["/", UNPACKED].map((folder) => join(folder, PATHS[proxy])).find((path) => existsSync(path));
}

/** Gets what is missing, where that is possible. Says which proxies' tests are left out. */
export function requireProxies(): void {
  const missing = () => PROXIES.filter((proxy) => !findProxy(proxy));
  if (missing().length > 0 && existsSync("/usr/bin/apt-get")) {
    console.log(`${missing().join(", ")}: not here; unpacking Debian's packages …`);
    try {
      unpack(missing());
    } catch {
      // What is missing is said below.
    }
  }
  if (missing().length > 0)
    console.log(`Without ${missing().join(", ")} its configuration in the documents is not tried.`);
}

function unpack(packages: readonly string[]): void {
  mkdirSync(UNPACKED, { recursive: true });
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: UNPACKED, stdio: "ignore" });
  if (process.getuid?.() === 0) run("apt-get", "update");
  run("apt-get", "download", ...packages);
  for (const file of readdirSync(UNPACKED)) if (file.endsWith(".deb")) run("dpkg", "-x", file, UNPACKED);
}
