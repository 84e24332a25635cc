/**
 * `npm run deploy`: builds everything and puts it on a Cloudflare account. `npm run deploy -- --env production` is
 * meet-ai.cc. With `--dry-run` it builds and lets wrangler check what it would upload: nothing leaves this machine, and
 * no sign-in is needed. With `--rollback` the version before is served again.
 *
 * The database is found by its name, and made when there is none; so no id is copied by hand. Migrations come before
 * the code that needs them. At the end the deployment is tried as a person would try it.
 */

import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { commandLine, endIfUnknown } from "./command-line.ts";
import { Deployment } from "./deploy/deployment.ts";
import { smokeTest } from "./deploy/smoke-test.ts";
import { Wrangler } from "./deploy/wrangler.ts";
import { end } from "./end.ts";
import { Failure } from "./failure.ts";
import { root } from "./root.ts";

const { values } = commandLine({
  options: {
    env: { type: "string" },
    "dry-run": { type: "boolean", default: false },
    rollback: { type: "boolean", default: false },
    replace: { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false },
    "no-smoke-test": { type: "boolean", default: false },
  },
});
const configPath = join(root, "wrangler.toml");
const { definedEnvironments = [] } = unstable_readConfig({ config: configPath });
// wrangler takes an unknown name for the top level's Worker under another name.
if (values.env !== undefined) endIfUnknown("environment", [values.env], definedEnvironments);
if (values.rollback && values["dry-run"]) end("--rollback can't be tried with --dry-run.");

const config = unstable_readConfig({ config: configPath, env: values.env });
const deployment = new Deployment({
  wrangler: new Wrangler(root, ["--env", values.env ?? ""]),
  worker: config.name ?? end("wrangler.toml names no Worker."),
  database: config.d1_databases[0]?.database_name ?? end("wrangler.toml names no database."),
  domains: ownDomains(config.routes),
  mayReplace: values.replace,
  say: (line) => console.log(line),
});

try {
  if (values["dry-run"]) {
    await build();
    await deployment.tryOut();
  } else if (values.rollback) {
    await deployment.rollBack();
  } else {
    // Before the build, which takes its time.
    await deployment.check();
    await build();
    const origin = await deployment.run();
    if (!values["no-smoke-test"]) await smokeTest(origin, { say: (line) => console.log(line) });
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  end(`\n${error.message}`);
}
process.exit(0);

async function build(): Promise<void> {
  if (values["no-build"]) return;
  const { buildClient } = await import("./builds.ts");
  await buildClient();
}

/** The domains among the routes of wrangler.toml. */
function ownDomains(routes: readonly unknown[] = []): string[] {
  return routes.flatMap((route) => {
    const { pattern, custom_domain } = route as { pattern?: string; custom_domain?: boolean };
    return custom_domain && pattern !== undefined ? [pattern] : [];
  });
}
