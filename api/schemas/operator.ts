/** What an operator may say. */

import * as z from "zod/mini";
import { type Fault, fault } from "../../party/protocol.ts";
import { field } from "./schema.ts";

/** Where the directory goes on. */
export interface DirectoryCursor {
  readonly kind: "key" | "site" | "room" | "state" | "erasure" | "operator";
  /** The last record of the page before, by its id, or its room and its part; empty at the first of its kind. */
  readonly after: string;
}

/** The query of `GET /api/operator/directory`. */
export const DirectoryQuery = z.object({
  cursor: z.optional(
    field(parseCursor, { type: "string", description: "`next` of the page before. Without it the first page." }),
  ),
});

function parseCursor(value: unknown): DirectoryCursor | Fault {
  const [, kind, after] = /^(key|site|room|state|erasure|operator):([\w~@./-]{0,200})$/.exec(String(value)) ?? [];
  if (kind === undefined || after === undefined) return fault("invalid", "cursor must be `next` of an earlier answer.");
  return { kind: kind as DirectoryCursor["kind"], after };
}
