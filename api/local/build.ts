/** `npm run build`: the pages, the widget and the npm package, into `dist/client`. */

import { commandLine } from "./command-line.ts";
import { buildClient } from "./server.ts";

commandLine({});
await buildClient();
