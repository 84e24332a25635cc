/** How a room may be exported. */

import * as z from "zod/mini";
import { type Fault, fault } from "../../party/protocol.ts";
import { field, wholeNumber } from "./schema.ts";

const FORMATS = ["ndjson", "md"] as const;
type Format = (typeof FORMATS)[number];

/** The query of `GET /api/rooms/:id/export`. */
export const ExportQuery = z.object({
  format: z._default(
    field(parseFormat, {
      type: "string",
      enum: [...FORMATS],
      default: "ndjson",
      description: "As data, or to be read.",
    }),
    "ndjson",
  ),
  after: z._default(
    wholeNumber("after", { least: 0, otherwise: 0, description: "Only messages with a greater seq." }),
    0,
  ),
});

function parseFormat(value: unknown): Format | Fault {
  return FORMATS.find((format) => format === value) ?? fault("invalid", "format must be ndjson or md.");
}
