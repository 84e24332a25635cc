/** `npm run openapi`: writes `openapi.json`. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openapiJson } from "../openapi/document.ts";
import { commandLine } from "./command-line.ts";

commandLine({});
writeFileSync(join(import.meta.dirname, "../../openapi.json"), openapiJson);
