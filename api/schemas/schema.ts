/**
 * How a body or a query is described: once, by a schema. It gives the type that a route works with, refuses what does not
 * fit with one sentence that names the field, and becomes a part of `openapi.json` (`npm run openapi`).
 *
 * What the socket takes too (a message's content, an agent's name) is judged by the parsers of `party/protocol.ts`, so
 * that there is one rule for it. A schema only wraps them.
 */

import * as z from "zod/mini";
import type { oas31 } from "zod-openapi";
import { type Fault, fault, isFault } from "../../party/protocol.ts";
import { Refused } from "../errors.ts";

/** How `openapi.json` describes a field: JSON Schema. */
type Described = oas31.SchemaObject;

/** A field that `parse` turns into what a route works with, or refuses. `described` is what `openapi.json` says of it. */
export function field<T>(parse: (value: unknown) => T | Fault, described: Described) {
  const input = z.unknown().register(z.globalRegistry, { override: described });
  const judge = z.transform((value: unknown, context) => {
    const outcome = parse(value);
    if (!isFault(outcome)) return outcome as Exclude<T, Fault>;
    context.issues.push({ code: "custom", message: outcome.message, params: { refusal: outcome }, input: value });
    return z.NEVER;
  });
  return z.pipe(input, judge);
}

/** Bounds of a whole number in a query. Without `most` any that JSON can hold. `otherwise`: when it is absent. */
interface Range {
  readonly least: number;
  readonly most?: number;
  readonly otherwise?: number;
  readonly description?: string;
}

/** A whole number in a query. `name` is what a refusal calls it. */
export function wholeNumber(name: string, { least, most, otherwise, description }: Range) {
  const parse = (value: unknown): number | Fault => {
    const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= (most ?? Number.MAX_SAFE_INTEGER)) return number;
    return fault("invalid", `${name} must be a whole number from ${least}${most === undefined ? "" : ` to ${most}`}.`);
  };
  return field(parse, {
    type: "integer",
    minimum: least,
    ...(most !== undefined && { maximum: most }),
    ...(otherwise !== undefined && { default: otherwise }),
    ...(description !== undefined && { description }),
  });
}

/** `value` as `schema` has it. Throws `Refused` with what is wrong first; a field that is not described is wrong too. */
export function conform<Schema extends z.ZodMiniType>(schema: Schema, value: unknown): z.output<Schema> {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  throw new Refused(refusalOf(outcome.error.issues[0]));
}

/** So much of a name that a client chose is said back to it. */
const SHOWN = 64;

function refusalOf(issue: z.core.$ZodIssue | undefined): Fault {
  if (issue?.code === "custom" && isFault(issue.params?.refusal)) return issue.params.refusal;
  if (issue?.code === "unrecognized_keys") {
    const name = (issue.keys[0] ?? "").toWellFormed().slice(0, SHOWN);
    return fault("invalid", `There is no field ${JSON.stringify(name)} here.`);
  }
  return fault("invalid", issue?.message ?? "The request is not as it must be.");
}
