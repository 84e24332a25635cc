/**
 * A copy of the sources in a folder of its own, for a test that changes or builds them: what is built in the repository
 * other tests serve at the same moment, and a build removes it first.
 */

import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
/** What builds need. */
const COPIED = [
  "LICENSE",
  "README.md",
  "api",
  "client",
  "custom-elements.json",
  "docs",
  "migrations",
  "openapi.json",
  "party",
  "package.json",
  "tsconfig.json",
  "vite.config.ts",
  "wrangler.toml",
];

export class CopiedSources implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "meet-ai-copy-"));

  constructor() {
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(this.path, "node_modules"));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10 });
  }
}
