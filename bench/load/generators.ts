/** The bench's end of a generator. */

import { Commanded } from "./commands.ts";
import type { GeneratorCommands } from "./generator.ts";

export class Generator extends Commanded<GeneratorCommands> {
  constructor() {
    super(new URL("./generator.ts", import.meta.url));
  }
}
