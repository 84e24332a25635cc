/**
 * `npm start`: builds everything and serves it on this machine until it is stopped. `--no-build` takes what is built.
 *
 * `PORT`, `HOST` and `STATE_DIR` say where; `PUBLIC_URL` and `TRUSTED_PROXIES` what stands in front.
 */

import { commandLine } from "./command-line.ts";
import { endIfTaken } from "./end.ts";
import { hostFromEnvironment } from "./host.ts";
import { operatorSecretFile } from "./operator-secret.ts";
import { portFromEnvironment } from "./port.ts";
import { startServer } from "./server.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const { values } = commandLine({ options: { "no-build": { type: "boolean", default: false } } });
const port = portFromEnvironment();
const host = hostFromEnvironment();
const stateDir = stateDirFromEnvironment();

const server = await startServer({ port, host, stateDir, build: !values["no-build"] }).catch((error) =>
  endIfTaken(error, port),
);
// That it can be used has been seen.
const address = (process.env.PUBLIC_URL || server.url.href).replace(/\/$/, "");
console.log(`
  meet-ai   ${address}
  lobby     ${address}/r/lobby
  data      ${stateDir}
  operator  ${operatorSecretFile(stateDir)}

  Ctrl+C stops it; messages stay.
`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void server.stop().then(() => process.exit(0));
  });
}
