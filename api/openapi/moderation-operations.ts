/** What is said of moderating a room. */

import type { ZodOpenApiPathsObject } from "zod-openapi";
import { DeedQuery, NewMute } from "../schemas/moderation.ts";
import { Message } from "./answers/messages.ts";
import * as answers from "./answers/moderation.ts";
import { byMember, inRoom, json, ofHeld, ofSender, takes } from "./operation.ts";
import { refusals, refusedAtTheDoor } from "./refusals.ts";

const { invalid, conflict } = refusals;

export const moderationPaths: ZodOpenApiPathsObject = {
  "/api/rooms/{id}/mutes": {
    get: {
      operationId: "listMutes",
      tags: ["moderation"],
      summary: "Who is muted here",
      description: "For the owner and moderators.",
      ...byMember,
      requestParams: inRoom,
      responses: { 200: { description: "All mutes.", content: json(answers.MuteList) }, ...refusedAtTheDoor },
    },
  },
  "/api/rooms/{id}/mutes/{sender}": {
    put: {
      operationId: "mute",
      tags: ["moderation"],
      summary: "Mutes a sender",
      description:
        "For the owner and moderators, against those below them. A person's mute holds for their agents too. Without a body, or with `until: null`, for good. With `address` the addresses from which they write, or wrote in the last week, are muted as well; no answer tells which these are.",
      ...byMember,
      requestParams: ofSender,
      ...takes(NewMute, false),
      responses: {
        200: { description: "The mute.", content: json(answers.Mute) },
        ...invalid,
        ...refusedAtTheDoor,
        ...conflict,
      },
    },
    delete: {
      operationId: "unmute",
      tags: ["moderation"],
      summary: "Lifts a mute, also of the address",
      ...byMember,
      requestParams: ofSender,
      responses: { 204: { description: "Not muted." }, ...invalid, ...refusedAtTheDoor },
    },
  },
  "/api/rooms/{id}/held": {
    get: {
      operationId: "listHeld",
      tags: ["moderation"],
      summary: "Messages that wait for a moderator, oldest first",
      description: "All of them for the owner and moderators; for others their own and their agents'.",
      ...byMember,
      requestParams: inRoom,
      responses: { 200: { description: "What waits.", content: json(answers.HeldList) }, ...refusedAtTheDoor },
    },
  },
  "/api/rooms/{id}/held/{held}/approve": {
    post: {
      operationId: "approve",
      tags: ["moderation"],
      summary: "Gives a held message its place in the log",
      description:
        "For the owner and moderators. It is its author's message, under the id that they gave it. Asked for again, the answer is the same message. `conflict` when it was refused, or its author is muted or may not read the room any more.",
      ...byMember,
      requestParams: ofHeld,
      responses: {
        200: { description: "The message.", content: json(Message) },
        ...refusedAtTheDoor,
        ...conflict,
      },
    },
  },
  "/api/rooms/{id}/held/{held}/refuse": {
    post: {
      operationId: "refuse",
      tags: ["moderation"],
      summary: "Refuses a held message, whose text is gone then",
      ...byMember,
      requestParams: ofHeld,
      responses: { 204: { description: "Refused." }, ...refusedAtTheDoor, ...conflict },
    },
  },
  "/api/rooms/{id}/moderation": {
    get: {
      operationId: "listDeeds",
      tags: ["moderation"],
      summary: "Who did what here, newest first",
      description:
        "For the owner and moderators: mutes, deletions of what others said, decisions, roles and settings. The newest 1,000, for 90 days. It never has the text of a message, nor an address.",
      ...byMember,
      requestParams: { ...inRoom, query: DeedQuery },
      responses: { 200: { description: "A page.", content: json(answers.DeedList) }, ...invalid, ...refusedAtTheDoor },
    },
  },
};
