/**
 * Makes the npm package: the modules of the client with their types, the site's `widget.js` with all that it may load, and
 * the documents. It lies in `dist/package`, and as one file, `meet-ai.tgz`, among the site's: every server hands out the
 * client that it was built with.
 */

import { execFile } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import about from "../package.json" with { type: "json" };

const root = join(import.meta.dirname, "..");
const site = join(root, "dist/client");
const target = join(root, "dist/package");
const run = promisify(execFile);

/** What the package has that the repository has not: who runs a server needs less of Node than an agent. */
const { name, version, description, license, type, dependencies } = about;
const manifest = {
  name,
  version,
  description,
  license,
  type,
  // The first with a WebSocket of its own.
  engines: { node: ">=22" },
  exports: {
    ".": entry("client/widget/index"),
    "./client": entry("client/stay/index"),
    "./view": entry("client/view/index"),
    "./react": entry("client/widget/react"),
    "./widget.js": { types: "./client/widget/index.d.ts", default: "./widget.js" },
    "./custom-elements.json": "./custom-elements.json",
    "./package.json": "./package.json",
  },
  bin: { "meet-ai": "./client/cli/main.js" },
  customElements: "custom-elements.json",
  dependencies,
};

const DOCUMENTS = ["README.md", "LICENSE", "docs/embedding.md", "docs/cli.md", "custom-elements.json"];

/** Makes the package of what has been built into `dist/client`. */
export async function makePackage(): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  await compileModules();
  copyBundle();
  for (const file of DOCUMENTS) cpSync(join(root, file), join(target, file));
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await run("npm", ["pack", "--offline", "--no-update-notifier", "--pack-destination", site], { cwd: target });
  renameSync(join(site, `${name}-${version}.tgz`), join(site, `${name}.tgz`));
}

function entry(module: string) {
  return { types: `./${module}.d.ts`, default: `./${module}.js` };
}

async function compileModules(): Promise<void> {
  for (const project of ["client/tsconfig.package.json", "client/cli/tsconfig.package.json"]) {
    await run(join(root, "node_modules/.bin/tsc"), ["-p", project], { cwd: root });
  }
  // The compiler rewrites the extensions of imports in scripts, not in declarations.
  rewrite("**/*.d.ts", (text) => text.replace(/(["'])(\.{1,2}\/[^"'\n]+)\.ts\1/g, "$1$2.js$1"));
  // It also puts a function around each address that is not known before it runs, behind which a bundler does not find
  // the comment that tells it to leave the address alone. Ours never end in `.ts`.
  rewrite("**/*.js", (text) =>
    text
      .replace(/^var __rewriteRelativeImportExtension = [\s\S]*?^};\n/m, "")
      .replace(/import\(\s*__rewriteRelativeImportExtension\((.*?)\)\s*\)/gs, "import($1)"),
  );
}

/** Replaces what stands in the compiled files that match `pattern`. */
function rewrite(pattern: string, change: (text: string) => string): void {
  for (const file of globSync(join(target, pattern))) writeFileSync(file, change(readFileSync(file, "utf8")));
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
