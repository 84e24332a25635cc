/** The bench's end of a process with neighbours in it. */

import { Commanded } from "./commands.ts";
import type { NeighbourCommands } from "./neighbour.ts";

export class Neighbours extends Commanded<NeighbourCommands> {
  constructor() {
    super(new URL("./neighbour.ts", import.meta.url));
  }
}
