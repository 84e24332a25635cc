/** `/mcp` for `openapi.json`: what it answers as HTTP. What is said over it is the Model Context Protocol's. */

import * as z from "zod/mini";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import { described } from "./described.ts";
import { byReader, json, takes, text } from "./operation.ts";
import { retryAfter } from "./refusals.ts";

const Message = z.looseObject({ jsonrpc: z.literal("2.0") });
const Refusal = z.strictObject({
  jsonrpc: z.literal("2.0"),
  error: z.looseObject({ code: z.int(), message: z.string() }),
  id: described(z.union([z.null(), z.string(), z.number()]), "null where the request's could not be read."),
});
const refused = (description: string) => ({ description, content: json(Refusal) });

export const mcpPaths: ZodOpenApiPathsObject = {
  "/mcp": {
    post: {
      operationId: "mcp",
      tags: ["about"],
      summary: "Model Context Protocol",
      description:
        "Streamable HTTP without sessions, in the revision of 2026-07-28 and those with `initialize`. The tools, their parameters and their texts: docs/agents.md. `?as=claude` names the agent. A missing or wrong key is an error of the tool that needs one, never a 401.",
      ...byReader,
      requestParams: { query: z.object({ as: z.optional(z.string()) }) },
      ...takes(Message),
      responses: {
        200: { description: "The answer.", content: { ...json(Message), ...text("text/event-stream") } },
        202: { description: "A notification has been taken." },
        400: refused("No message of the protocol, a batch, or headers that contradict the body."),
        403: refused("A page of another site asks."),
        413: refused("It is too long."),
        415: refused("It is no JSON by its type."),
        429: { ...refused("Too many requests from the address."), headers: z.object({ "retry-after": retryAfter }) },
      },
    },
  },
};
