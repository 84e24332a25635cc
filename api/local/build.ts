/** `npm run build`: the pages, the widget, the npm package and the Worker, into `dist/`: what `npm start -- --no-build` serves. */

import { buildClient, buildWorker } from "./builds.ts";
import { commandLine } from "./command-line.ts";

commandLine({});
await Promise.all([buildClient(), buildWorker()]);
