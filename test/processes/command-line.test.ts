/** The commands of this repository: what they don't know they refuse, before they build, write or deploy anything. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CopiedSources } from "./copied-sources.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Without an account: whatever would reach one fails. */
function run(args: readonly string[], cwd = ROOT) {
  const { CLOUDFLARE_API_TOKEN: _, CLOUDFLARE_ACCOUNT_ID: __, ...rest } = process.env;
  const env = { ...rest, CLOUDFLARE_API_BASE_URL: "http://localhost:1", WRANGLER_SEND_METRICS: "false" };
  return spawnSync(process.execPath, args, { cwd, env, encoding: "utf8", timeout: 170_000 });
}

const DEPLOY = "Options: --env, --dry-run, --rollback, --replace, --no-build, --no-smoke-test.";

it.each([
  [["api/local/deploy.ts", "--dryrun"], `Unknown option '--dryrun'. ${DEPLOY}`],
  [["api/local/deploy.ts", "production"], `Unexpected argument 'production'. ${DEPLOY}`],
  [["api/local/deploy.ts", "--env", "prodution"], "There is no environment prodution. There are: production."],
  [["api/local/start.ts", "--port", "9000"], "Unknown option '--port'. Options: --no-build."],
  [["api/local/dev.ts", "--no-build"], "Unknown option '--no-build'. There are no options."],
  [["api/local/backup.ts", "--serve", "x"], "Unknown option '--serve'. Options: --server, --no-build."],
  [
    ["api/local/restore.ts", "--force"],
    "Unknown option '--force'. Options: --incomplete, --remote, --database, --rows-a-day.",
  ],
  [
    ["api/local/import.ts", "--dryrun"],
    "Unknown option '--dryrun'. Options: --dry-run, --report, --remote, --database, --rows-a-day.",
  ],
  [["api/local/openapi.ts", "--check"], "Unknown option '--check'. There are no options."],
  [
    ["test/run.ts", "unit", "runtme"],
    "There is no project runtme. There are: unit, runtime, browser, processes, long.",
  ],
  [["test/run.ts", "--watch"], "Unknown option '--watch'. There are no options."],
  [["test/chaos/run.ts", "--kills", "many"], '--kills takes a whole number, not "many".'],
  [["test/planted/run.ts", "--onyl", "3"], "Unknown option '--onyl'. Options: --area, --only."],
  [["bench/run.ts", "--quik"], "Unknown option '--quik'. Options: --quick, --write-docs, --from."],
])("%j is refused with one line", (args, line) => {
  const { status, stdout, stderr } = run(args);
  expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: `${line}\n` });
});

it("deploy --dry-run builds, and reaches no account", () => {
  using sources = new CopiedSources();
  const { status, stdout, stderr } = run(["api/local/deploy.ts", "--dry-run", "--env", "production"], sources.path);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("--dry-run: exiting now.");
  expect(stdout).not.toMatch(/migration|Uploaded/);
  expect(existsSync(join(sources.path, "dist/client/widget.js"))).toBe(true);
});
