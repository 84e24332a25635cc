/**
 * `npm run deploy`: puts what has been built on a Cloudflare account. `npm run deploy -- --env production` is meet-ai.cc.
 *
 * The database is found by its name, and made when there is none; so no id is copied by hand. Migrations come before
 * the code that needs them.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { root } from "./server.ts";

const options = process.argv.slice(2);
const environment = options[options.indexOf("--env") + 1];
const env = ["--env", options.includes("--env") ? (environment ?? "") : ""];
const [database] = unstable_readConfig({ config: join(root, "wrangler.toml"), env: env[1] || undefined }).d1_databases;
const name = database?.database_name;
if (!name) throw new Error("wrangler.toml names no database.");

const databases = JSON.parse(wrangler("pipe", "d1", "list", "--json", ...env)) as { name: string }[];
if (!databases.some((existing) => existing.name === name)) wrangler("inherit", "d1", "create", name, ...env);
wrangler("inherit", "d1", "migrations", "apply", "DB", "--remote", ...env);
wrangler("inherit", "deploy", ...env);

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
