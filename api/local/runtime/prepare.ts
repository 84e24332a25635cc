/**
 * A process that gets everything ready for the runtime and ends.
 *
 *     echo '{"stateDir": "…", "build": true}' | node api/local/runtime/prepare.ts 3>configuration
 */

import { createWriteStream } from "node:fs";
import { json } from "node:stream/consumers";
import { type Preparation, prepare } from "./preparation.ts";

const configuration = await prepare((await json(process.stdin)) as Preparation);
createWriteStream("", { fd: 3 })
  // Who has asked for it has ended.
  .on("error", () => process.exit(1))
  .end(configuration, () => process.exit(0));
