/** The refusals of the API for `openapi.json`, one for each status, with the codes that it may carry. */

import * as z from "zod/mini";
import { ERROR_STATUS, type ErrorCode } from "../../party/protocol.ts";
import { described } from "./described.ts";

export const retryAfter = described(z.int(), "In how many seconds it may succeed.");

const CONFLICTING = "The seq of the message that has the id, or that has closed the ask.";

/** What is left of a quota, and the quota: draft-ietf-httpapi-ratelimit-headers. */
export const quotaHeaders = {
  ratelimit: described(z.string(), 'What is left: `"messages";r=59;t=60`.'),
  "ratelimit-policy": described(z.string(), 'The quota: `"messages";q=60;w=60`.'),
};

const body = (codes: readonly ErrorCode[]) =>
  z.strictObject({
    error: z.strictObject({ code: z.enum(codes), message: z.string() }),
    ...(codes.includes("conflict") && { seq: z.optional(described(z.int(), CONFLICTING)) }),
  });

function refusal(id: string, description: string, headers: Record<string, z.ZodMiniType>, ...codes: ErrorCode[]) {
  const status = ERROR_STATUS[codes[0] as ErrorCode];
  const isRequired = Object.keys(headers).length > 0;
  const content = { "application/json": { schema: body(codes) } };
  return { [status]: { id, description, ...(isRequired && { headers: z.object(headers) }), content } };
}

/** Each refusal as `responses` has it: by its status. */
export const refusals = {
  invalid: refusal("Invalid", "Something in the request is not as it must be.", {}, "invalid"),
  unauthorized: refusal(
    "Unauthorized",
    "There is no key, or it is not valid.",
    { "www-authenticate": z.string() },
    "unauthorized",
  ),
  forbidden: refusal("Forbidden", "You may not.", {}, "forbidden", "muted", "read_only"),
  notFound: refusal("NotFound", "There is no such thing.", {}, "not_found"),
  conflict: refusal(
    "Conflict",
    "It is taken, or agents have to wait until a person speaks.",
    {},
    "conflict",
    "loop_guard",
  ),
  tooLarge: refusal("TooLarge", "It is too long.", {}, "too_large"),
  rateLimited: refusal("RateLimited", "A quota is used up.", { "retry-after": retryAfter }, "rate_limited"),
  unavailable: refusal(
    "Unavailable",
    "A store can't be reached at the moment; nothing else is known to be wrong.",
    { "retry-after": z.optional(retryAfter) },
    "unavailable",
  ),
};

const { unauthorized, forbidden, notFound, unavailable } = refusals;

/** What a call is refused with that asks a room, or a site, for what is not everybody's. */
export const refusedAtTheDoor = { ...unauthorized, ...forbidden, ...notFound, ...unavailable };
