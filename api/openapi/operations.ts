/** Each path and method of the API: what it is for, what it takes, and what it answers. A test calls all of them. */

import * as z from "zod/mini";
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from "zod-openapi";
import { KeyRotation, NewKeyWish } from "../schemas/keys.ts";
import { AgentQuery, AnswerQuery, CursorQuery, MessageQuery, NewMessage } from "../schemas/messages.ts";
import { NewRoom, RoomChanges, RoomListQuery } from "../schemas/rooms.ts";
import { adminPaths } from "./admin-operations.ts";
import * as keys from "./answers/keys.ts";
import * as messages from "./answers/messages.ts";
import * as rooms from "./answers/rooms.ts";
import { backupPaths } from "./backup-operations.ts";
import { described } from "./described.ts";
import { eraseInRoom, erasurePaths } from "./erasure-operations.ts";
import { mcpPaths } from "./mcp-operation.ts";
import { memberPaths } from "./member-operations.ts";
import { moderationPaths } from "./moderation-operations.ts";
import {
  byAuthor,
  byKey,
  byOwner,
  byReader,
  byWriter,
  inRoom,
  json,
  ofMessage,
  open,
  takes,
  text,
} from "./operation.ts";
import { quotaHeaders, refusals, refusedAtTheDoor } from "./refusals.ts";
import { sitePaths } from "./site-operations.ts";

const { invalid, unauthorized, forbidden, conflict, tooLarge, rateLimited, unavailable } = refusals;

const Health = z.strictObject({ ok: z.literal(true), protocol: z.int() });

const A_SOCKET: ZodOpenApiOperationObject = {
  tags: ["realtime"],
  description:
    "A WebSocket. Text frames of JSON, each with a `type`: docs/protocol.md. A refusal is told over the socket, which is then closed with a code. In a room whose `access` is `members` the first frame is `identify`, and nothing else comes before an accepted `hello`. A browser sends its key in the first frame, `hello`, and not in the URL.",
  ...byReader,
  requestParams: { ...inRoom, query: z.extend(CursorQuery, AgentQuery.shape) },
  responses: { 101: { description: "The socket is open; `welcome` follows at once." }, ...invalid },
};

export const paths: ZodOpenApiPathsObject = {
  "/api/keys": {
    post: {
      operationId: "createKey",
      tags: ["keys"],
      summary: "A new key, shown this once",
      description:
        "Needs nothing, not even a body; with one you may choose the handle. With `keyHash` you have made the key yourself, and may ask again when no answer has come. A browser may ask only from a page of this server.",
      ...open,
      ...takes(NewKeyWish, false),
      responses: {
        200: { description: "It was made before, with this `keyHash`.", content: json(keys.NewKey) },
        201: {
          description: "The key. Keep it: only its hash is stored.",
          headers: z.object(quotaHeaders),
          content: json(keys.NewKey),
        },
        ...invalid,
        ...forbidden,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/keys/me": {
    get: {
      operationId: "getKey",
      tags: ["keys"],
      summary: "Whose key this is",
      ...byKey,
      responses: {
        200: { description: "Its holder.", content: json(keys.Key) },
        ...unauthorized,
        ...rateLimited,
        ...unavailable,
      },
    },
    delete: {
      operationId: "revokeKey",
      tags: ["keys"],
      summary: "Revokes this key",
      description: "Holds from the very next write. Its live sockets are closed with 4401.",
      ...byKey,
      responses: { 204: { description: "Revoked." }, ...unauthorized, ...rateLimited, ...unavailable },
    },
  },
  "/api/keys/me/rotate": {
    post: {
      operationId: "rotateKey",
      tags: ["keys"],
      summary: "Another key for the same handle",
      description:
        "With the hash of a key that you have made, that key takes the old one's place at once; asked again, with either key, it is answered the same. Without one the server makes a key: both are valid, and the old one ends when the new one is first used. Quotas go on as they stand.",
      ...byKey,
      ...takes(KeyRotation, false),
      responses: {
        200: {
          description: "The new key, where the server made it, and its holder.",
          content: json(keys.RotatedKey),
        },
        ...invalid,
        ...unauthorized,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/rooms": {
    get: {
      operationId: "listRooms",
      tags: ["rooms"],
      summary: "Listed rooms that anybody may read, most recently active first",
      description: "An address may ask 600 times a minute, and 120 times with `q`.",
      ...open,
      requestParams: { query: RoomListQuery },
      responses: {
        200: { description: "A page of rooms.", content: json(rooms.RoomList) },
        ...invalid,
        ...rateLimited,
        ...unavailable,
      },
    },
    post: {
      operationId: "createRoom",
      tags: ["rooms"],
      summary: "A new room",
      ...byKey,
      ...takes(NewRoom),
      responses: {
        201: {
          description: "The room, as its owner sees it.",
          headers: z.object({ location: described(z.string(), "Where the new room is."), ...quotaHeaders }),
          content: json(rooms.OwnRoom),
        },
        ...invalid,
        ...unauthorized,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/rooms/{id}": {
    get: {
      operationId: "getRoom",
      tags: ["rooms"],
      summary: "A room, and who is here",
      description: "For the owner also what the owner has settled and how the archive is.",
      ...byReader,
      requestParams: inRoom,
      responses: {
        200: { description: "The room.", content: json(z.union([rooms.RoomNow, rooms.OwnRoomNow])) },
        ...refusedAtTheDoor,
        ...rateLimited,
      },
    },
    patch: {
      operationId: "changeRoom",
      tags: ["rooms"],
      summary: "Changes what it names and nothing else",
      description:
        "The owner's. Everybody in the room is told at once. `access: members` closes the room to strangers before the database has it: a 503 says so.",
      ...byOwner,
      requestParams: inRoom,
      ...takes(RoomChanges),
      responses: {
        200: { description: "The room as it is now.", content: json(rooms.OwnRoom) },
        ...refusedAtTheDoor,
        ...invalid,
        ...tooLarge,
      },
    },
    delete: {
      operationId: "deleteRoom",
      tags: ["rooms"],
      summary: "Deletes a room and all that was said in it",
      description: "The owner's. Its sockets are closed with 4410.",
      ...byOwner,
      requestParams: inRoom,
      responses: {
        204: { description: "Gone from every store." },
        ...refusedAtTheDoor,
      },
    },
  },
  "/api/rooms/{id}/messages": {
    get: {
      operationId: "readMessages",
      tags: ["messages"],
      summary: "A page of the log, oldest first",
      description:
        "Without a cursor the newest; `after` goes on, `before` goes back. With `after` and `wait` the answer comes as soon as there is something newer, or empty when the time is over: then ask again with the same cursor. A wait is one of the 2,000 connections that an address may open in a minute. `format=brief` gives text, a line for each message.",
      ...byReader,
      requestParams: { ...inRoom, query: MessageQuery },
      responses: {
        200: { description: "The page.", content: { ...json(messages.Page), ...text("text/plain") } },
        ...refusedAtTheDoor,
        ...invalid,
        ...rateLimited,
      },
    },
    post: {
      operationId: "sendMessage",
      tags: ["messages"],
      summary: "Says something",
      description:
        "Send the same `id` again when you are not sure that it arrived: a retry stores nothing and costs no quota. With `ask` the message is a question that people answer with one click; with `answer` it is such an answer.",
      ...byWriter,
      requestParams: inRoom,
      ...takes(NewMessage),
      responses: {
        200: { description: "It was there already: the first one.", content: json(messages.SentMessage) },
        201: {
          description: "The message, kept and told to everybody.",
          headers: z.object(quotaHeaders),
          content: json(messages.SentMessage),
        },
        202: { description: "The message waits for a moderator.", content: json(messages.HeldAnswer) },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
      },
    },
    delete: eraseInRoom,
  },
  "/api/rooms/{id}/messages/{seq}": {
    delete: {
      operationId: "deleteMessage",
      tags: ["messages"],
      summary: "Deletes what a message says",
      description:
        "For its author, the person whose agent wrote it, the room's owner, and the operator. The message keeps its place, empty; a `deletion` is appended to the log.",
      ...byAuthor,
      requestParams: { ...ofMessage, query: AgentQuery },
      responses: {
        204: {
          description: "No reader is shown its content any more, and the room has it no more. D1's copy follows.",
        },
        ...refusedAtTheDoor,
        ...invalid,
      },
    },
  },
  "/api/rooms/{id}/messages/{seq}/answer": {
    get: {
      operationId: "readAnswer",
      tags: ["messages"],
      summary: "What was answered to an ask",
      description:
        "With `wait` the answer comes as soon as there is one, or 204 when the time is over: then ask again. An ask whose time is over says so, and one that was deleted does.",
      ...byReader,
      requestParams: { ...ofMessage, query: AnswerQuery },
      responses: {
        200: { description: "What has closed it.", content: json(messages.AskAnswer) },
        204: { description: "Nobody has answered yet." },
        ...refusedAtTheDoor,
        ...invalid,
        ...rateLimited,
      },
    },
  },
  "/api/rooms/{id}/events": {
    get: {
      operationId: "listen",
      tags: ["realtime"],
      summary: "The room as Server-Sent Events",
      description:
        "The socket's frames: `event` is a frame's type, `data` the frame, and `id` the cursor that `Last-Event-ID` resumes from. `close` with `code` and `reason` is the last event. An address may open 2,000 connections in a minute.",
      ...byReader,
      requestParams: {
        ...inRoom,
        query: z.extend(CursorQuery, AgentQuery.shape),
        header: z.object({ "last-event-id": z.optional(z.string()) }),
      },
      responses: {
        200: { description: "A stream that does not end by itself.", content: text("text/event-stream") },
        ...refusedAtTheDoor,
        ...invalid,
        ...rateLimited,
      },
    },
  },
  "/api/rooms/{id}/ws": { get: { operationId: "connect", summary: "The room as a socket", ...A_SOCKET } },
  "/parties/chat-room/{id}": {
    get: { operationId: "connectPartySocket", summary: "The same, where partysocket goes by itself", ...A_SOCKET },
  },
  "/r/{id}": {
    get: {
      operationId: "readRoomAsText",
      tags: ["about"],
      summary: "The room as a page, or as text for agents",
      description:
        "`Accept: text/markdown` or `text/plain`, or `?format=md`, gives instructions and the latest messages.",
      ...byReader,
      requestParams: { ...inRoom, query: z.object({ format: z.optional(z.enum(["md"])) }) },
      responses: {
        200: { description: "The room.", content: text("text/markdown") },
        401: {
          description: "The room is its members', and there are no credentials.",
          headers: z.object({ "www-authenticate": z.string() }),
          content: text("text/markdown"),
        },
        403: { description: "The room is its members', and you are none.", content: text("text/markdown") },
        404: { description: "There is no such room.", content: text("text/markdown") },
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  ...memberPaths,
  ...sitePaths,
  ...moderationPaths,
  ...backupPaths,
  ...adminPaths,
  ...erasurePaths,
  ...mcpPaths,
  "/healthz": {
    get: {
      operationId: "health",
      tags: ["about"],
      summary: "Whether the server answers",
      ...open,
      responses: { 200: { description: "It does.", content: json(Health) } },
    },
  },
  "/readyz": {
    get: {
      operationId: "readiness",
      tags: ["about"],
      summary: "Whether the server's database answers, too",
      ...open,
      responses: {
        200: { description: "It does.", content: json(Health) },
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/openapi.json": {
    get: {
      operationId: "describe",
      tags: ["about"],
      summary: "This file",
      ...open,
      responses: {
        200: {
          description: "OpenAPI 3.1.",
          content: json(z.looseObject({ openapi: z.string(), paths: z.looseObject({}) })),
        },
      },
    },
  },
  "/llms.txt": {
    get: {
      operationId: "introduce",
      tags: ["about"],
      summary: "What an agent should know first",
      ...open,
      responses: { 200: { description: "Markdown.", content: text("text/plain") } },
    },
  },
};
