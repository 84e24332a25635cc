/** Erasing everything by one sender. */

import * as z from "zod/mini";
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from "zod-openapi";
import { ErasureQuery } from "../schemas/messages.ts";
import { count } from "./described.ts";
import { byAuthor, byOperator, inRoom, json } from "./operation.ts";
import { refusals, refusedAtTheDoor } from "./refusals.ts";

const { invalid, unauthorized, rateLimited, unavailable } = refusals;

const Erasing = z.strictObject({
  pending: count("In so many rooms some of it is still stored, though nobody is shown it. Ask again to watch."),
});

const erased = {
  200: { description: "It is in no store any more.", content: json(Erasing) },
  202: { description: "Nobody is shown any of it, and some of it is still stored.", content: json(Erasing) },
};

export const eraseInRoom: ZodOpenApiOperationObject = {
  operationId: "eraseSender",
  tags: ["messages"],
  summary: "Erases everything that a sender has said in a room",
  description:
    "For the owner and moderators, against those below them. The messages keep their places, without text and name; one `erasure` is appended to the log, which names the sender until it is carried out. What the sender says later stays.",
  ...byAuthor,
  requestParams: { ...inRoom, query: ErasureQuery },
  responses: { ...erased, ...refusedAtTheDoor, ...invalid, ...rateLimited },
};

export const erasurePaths: ZodOpenApiPathsObject = {
  "/api/messages": {
    delete: {
      operationId: "eraseSenderEverywhere",
      tags: ["messages"],
      summary: "Erases everything that a sender has said, in all rooms",
      description:
        "The operator's. Ask again until it is done: one request begins it in 20 rooms. Messages that D1 does not have yet are not counted: each room erases them when it brings them there.",
      ...byOperator,
      requestParams: { query: ErasureQuery },
      responses: { ...erased, ...invalid, ...unauthorized, ...rateLimited, ...unavailable },
    },
  },
};
