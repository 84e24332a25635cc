/**
 * `npm run deploy`: builds everything and puts it on a Cloudflare account. `npm run deploy -- --env production` is
 * meet-ai.cc. With `--dry-run` it builds and lets wrangler check what it would upload: nothing leaves this machine, and
 * no sign-in is needed.
 *
 * The database is found by its name, and made when there is none; so no id is copied by hand. Migrations come before
 * the code that needs them.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { buildClient } from "./builds.ts";
import { commandLine, endIfUnknown } from "./command-line.ts";
import { root } from "./root.ts";

const { values } = commandLine({
  options: { env: { type: "string" }, "dry-run": { type: "boolean", default: false } },
});
const { definedEnvironments = [] } = unstable_readConfig({ config: join(root, "wrangler.toml") });
// wrangler takes an unknown name for the top level's Worker under another name.
if (values.env !== undefined) endIfUnknown("environment", [values.env], definedEnvironments);

await buildClient();
const env = ["--env", values.env ?? ""];
if (values["dry-run"]) {
  wrangler("inherit", "deploy", "--dry-run", ...env);
} else {
  migrate();
  wrangler("inherit", "deploy", ...env);
}

function migrate(): void {
  const [database] = unstable_readConfig({ config: join(root, "wrangler.toml"), env: values.env }).d1_databases;
  const name = database?.database_name;
  if (!name) throw new Error("wrangler.toml names no database.");
  const databases = JSON.parse(wrangler("pipe", "d1", "list", "--json", ...env)) as { name: string }[];
  if (!databases.some((existing) => existing.name === name)) wrangler("inherit", "d1", "create", name, ...env);
  wrangler("inherit", "d1", "migrations", "apply", "DB", "--remote", ...env);
}

function wrangler(output: "pipe" | "inherit", ...args: string[]): string {
  const program = join(root, "node_modules/.bin/wrangler");
  // `CI` answers yes to what wrangler would ask; signing in is the one thing that it can't.
  const { status, stdout } = spawnSync(program, args, {
    cwd: root,
    stdio: ["inherit", output, "inherit"],
    env: { ...process.env, CI: "1" },
    encoding: "utf8",
  });
  // What went wrong wrangler has said itself.
  if (status !== 0) process.exit(status ?? 1);
  return stdout ?? "";
}
