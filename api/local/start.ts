/** `npm start`: builds everything and serves it on this machine until it is stopped. `--no-build` takes what is built. */

import { commandLine } from "./command-line.ts";
import { endIfTaken } from "./end.ts";
import { operatorSecretFile } from "./operator-secret.ts";
import { portFromEnvironment } from "./port.ts";
import { buildClient, buildWorker, startServer, varsFromEnvironment } from "./server.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";

const { values } = commandLine({ options: { "no-build": { type: "boolean", default: false } } });
const port = portFromEnvironment();
const stateDir = stateDirFromEnvironment();
// Before the build, which takes its time.
const vars = varsFromEnvironment();

if (!values["no-build"]) {
  await Promise.all([buildClient(), buildWorker()]);
}
const server = await startServer({ port, stateDir, vars }).catch((error) => endIfTaken(error, port));
const address = server.url.href.replace("127.0.0.1", "localhost").replace(/\/$/, "");
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
