/** What `openapi.json` says of a schema besides its form. */

import * as z from "zod/mini";

/** Says of `schema` what it is about. */
export function described<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  z.globalRegistry.add<z.ZodMiniType>(schema, { description });
  return schema;
}

/** Gives `schema` a name, under which others refer to it. */
export function named<Schema extends z.ZodMiniType>(id: string, schema: Schema, description?: string): Schema {
  z.globalRegistry.add<z.ZodMiniType>(schema, { id, ...(description !== undefined && { description }) });
  return schema;
}

/** A time in ISO 8601, UTC, with milliseconds. */
export const time = (description: string) =>
  z.string().register(z.globalRegistry, { format: "date-time", description });

export const timeOrNull = (description: string) => z.nullable(time(description));

export const count = (description: string, least = 0) => described(z.int().check(z.gte(least)), description);
