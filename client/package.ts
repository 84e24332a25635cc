/**
 * Builds the site, and puts into `dist/package` what the npm package has beside its documents: the modules of the client,
 * with their types, and the site's `widget.js` with all that it may load. `npm pack` runs it first.
 */

import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "vite";

const root = join(import.meta.dirname, "..");
const site = join(root, "dist/client");
const target = join(root, "dist/package");

// Vite would take a Lit that is made for tests or for development, where the shell says so.
process.env.NODE_ENV = "production";

await build({ configFile: join(root, "vite.config.ts"), logLevel: "warn" });
rmSync(target, { recursive: true, force: true });
compileModules();
copyBundle();

function compileModules(): void {
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", "client/tsconfig.package.json"], {
    cwd: root,
    stdio: "inherit",
  });
  // The compiler rewrites the extensions of imports in scripts, not in declarations.
  for (const file of globSync(join(target, "**/*.d.ts"))) {
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/(["'])(\.{1,2}\/[^"'\n]+)\.ts\1/g, "$1$2.js$1"));
  }
}

/** Copies `widget.js`, every script that it names, every script that those name, and so on; without their source maps. */
function copyBundle(): void {
  const built = globSync("**/*.js", { cwd: site });
  const reached = new Set(["widget.js"]);
  for (const file of reached) {
    const text = readFileSync(join(site, file), "utf8");
    for (const other of built) if (text.includes(`/${basename(other)}`)) reached.add(other);
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n"));
  }
}
