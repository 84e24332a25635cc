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
import { type LocalServer, startServer } from "./server.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const { values } = commandLine({ options: { "no-build": { type: "boolean", default: false } } });
const port = portFromEnvironment();
const host = hostFromEnvironment();
const stateDir = stateDirFromEnvironment();

let server: LocalServer | undefined;
let isEnding = false;
// From the beginning: the first process of a container hears no signal for which it does not listen. What is being made
// ready comes to its end, so that the next server finds no work half done and nobody at it.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    isEnding = true;
    void server?.stop().then(() => process.exit(0));
  });
}
// Where its whole group is ended, so is what makes it ready: that is no failure.
process.once("exit", () => {
  if (isEnding) process.exitCode = 0;
});

server = await startServer({ port, host, stateDir, build: !values["no-build"] }).catch((error) =>
  isEnding ? process.exit() : endIfTaken(error, port),
);
if (isEnding) {
  await server.stop();
  process.exit();
}
// That it can be used has been seen.
const address = (process.env.PUBLIC_URL || server.url.href).replace(/\/$/, "");
console.log(`
  meet-ai   ${address}
  lobby     ${address}/r/lobby
  data      ${stateDir}
  operator  ${operatorSecretFile(stateDir)}

  Ctrl+C stops it; messages stay.
`);
