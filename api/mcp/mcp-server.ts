/**
 * The Model Context Protocol over this server's own API: tools, transcripts and prompts, for both eras of the protocol
 * (2026-07-28, and those with `initialize`). Each request has a server of its own and leaves nothing behind.
 *
 * Only `mcp.ts` loads this file, when the first such request comes: with its library it is a fifth of the Worker.
 */

import {
  type CallToolResult,
  createMcpHandler,
  INVALID_PARAMS,
  type McpHttpHandler,
  ProtocolError,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { version } from "../../package.json";
import { LIMITS } from "../../party/protocol.ts";
import { answerError } from "../error-answer.ts";
import { type Call, publicOriginOf } from "../request.ts";
import { ApiCall, ApiRefusal } from "./api-call.ts";
import { askPeople } from "./ask-tool.ts";
import { agentOf, senderOf } from "./caller.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { pathOf, reading } from "./parameters.ts";
import { PROMPTS } from "./prompts.ts";
import { READING_TOOLS } from "./reading-tools.ts";
import type { Arguments, Caller, Tool } from "./tool.ts";
import { WRITING_TOOLS } from "./writing-tools.ts";

const TOOLS: readonly Tool[] = [...READING_TOOLS, ...WRITING_TOOLS, askPeople];

/** What is the same for everybody until the next deploy, ms. */
const SAME = { ttlMs: 60 * 60_000, cacheScope: "public" } as const;

/** How often a client that wants to know is told that its call still waits, ms. */
const PROGRESS_EVERY = 10_000;

/** Answers the request `c`, whose body has been read and is `body`. */
export async function serve(c: Call, request: Request, body: unknown): Promise<Response> {
  const handler: McpHttpHandler = createMcpHandler(() => serverFor(c), {
    maxRequestBodySize: LIMITS.frameBytes,
    // Nothing here ever changes, so a stream that would tell of changes is only a connection that stays open.
    maxSubscriptions: 0,
  });
  return handler.fetch(request, { parsedBody: body });
}

function serverFor(c: Call): Server {
  const server = new Server(
    { name: "meet-ai", version, title: "meet-ai" },
    {
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false },
        prompts: { listChanged: false },
      },
      instructions: INSTRUCTIONS,
      cacheHints: {
        "server/discover": SAME,
        "tools/list": SAME,
        "prompts/list": SAME,
        "resources/templates/list": SAME,
      },
    },
  );
  server.setRequestHandler("tools/list", () => ({ tools: TOOLS.map(described) }));
  server.setRequestHandler("tools/call", ({ params }, context) => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (tool) return call(tool, params.arguments ?? {}, callerOf(c, context), c);
    const names = TOOLS.map(({ name }) => name).join(", ");
    throw new ProtocolError(INVALID_PARAMS, `There is no tool ${shown(params.name)}; there are ${names}.`);
  });
  addTranscripts(server, c);
  addPrompts(server);
  return server;
}

/** A tool as clients list it. */
const described = ({ name, description, parameters, required, annotations }: Tool) => ({
  name,
  description,
  inputSchema: { type: "object" as const, properties: { ...parameters }, ...(required && { required: [...required] }) },
  annotations,
});

async function call(tool: Tool, args: Arguments, caller: Caller, c: Call): Promise<CallToolResult> {
  try {
    checkNames(tool, args);
    return { content: [{ type: "text", text: (await tool.run(args, caller)).trimEnd() }] };
  } catch (error) {
    // Nothing is wrong: it is shown once a moderator approves it.
    if (error instanceof ApiRefusal && error.code === "held") {
      return { content: [{ type: "text", text: `held: ${error.message} Do not send it again.` }] };
    }
    return { content: [{ type: "text", text: await wordsFor(error, c) }], isError: true };
  }
}

/** A parameter that would be passed over silently could be taken for one that has worked. */
function checkNames({ name, parameters, required = [] }: Tool, args: Arguments): void {
  const unknown = Object.keys(args).find((argument) => !Object.hasOwn(parameters, argument));
  const known = Object.keys(parameters).join(", ");
  if (unknown !== undefined) throw new ApiRefusal("invalid", `${name} has no ${shown(unknown)}; it has ${known}.`);
  const missing = required.find((argument) => args[argument] === undefined || args[argument] === null);
  if (missing !== undefined) throw new ApiRefusal("invalid", `${name} needs ${missing}.`);
}

/** So much of a name that a client chose is said back to it. */
const shown = (name: string): string => JSON.stringify(name.toWellFormed().slice(0, 64));

/** What a model is told of what has failed, and what to do about it. */
async function wordsFor(error: unknown, c: Call): Promise<string> {
  return refusalWords(error instanceof ApiRefusal ? error : await ApiRefusal.of(answerError(error as Error, c)), c);
}

function refusalWords({ code, message, retryAfter }: ApiRefusal, c: Call): string {
  const next = {
    unauthorized: ` Tell your user: this MCP server's configuration needs the header "Authorization: Bearer mai_…". A key is made without sign-up by: curl -X POST ${publicOriginOf(c)}/api/keys`,
    forbidden: " If you have an invite, use join_room; otherwise ask your user for one.",
    loop_guard: " Do not retry: use wait_for_messages until a person has written.",
    not_found: " list_rooms has the public rooms.",
  }[code as string];
  return `${code}: ${message}${next ?? ""}${retryAfter === undefined ? "" : ` Try again in ${retryAfter} s.`}`;
}

function callerOf(c: Call, { mcpReq }: ServerContext): Caller {
  const agent = agentOf(c);
  return {
    api: new ApiCall(c, mcpReq.signal),
    origin: publicOriginOf(c),
    agent,
    me: (as) => senderOf(c, as),
    report(total) {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken === undefined) return () => undefined;
      let progress = 0;
      const timer = setInterval(() => {
        progress += PROGRESS_EVERY / 1_000;
        const params = { progressToken, progress, total };
        // The client has gone.
        mcpReq.notify({ method: "notifications/progress", params }).catch(() => clearInterval(timer));
      }, PROGRESS_EVERY);
      return () => clearInterval(timer);
    },
  };
}

const TRANSCRIPT = /^meet-ai:\/\/rooms\/([^/?#]+)$/;
const asText = { mimeType: "text/plain" };

/** Transcripts of rooms, the newest messages of each. */
function addTranscripts(server: Server, c: Call): void {
  server.setRequestHandler("resources/list", async (_, context) => {
    const { api } = callerOf(c, context);
    // Clients ask for this when they start: they can do without it.
    const listed = await api
      .json<{ rooms: { id: string }[] }>("/api/rooms", { query: { limit: 20 } })
      .catch(() => null);
    const rooms = listed?.body.rooms ?? [];
    return { resources: rooms.map(({ id }) => ({ uri: `meet-ai://rooms/${id}`, name: id, ...asText })) };
  });
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: [
      {
        uriTemplate: "meet-ai://rooms/{room}",
        name: "transcript",
        description: "The newest messages of a room, one a line",
        ...asText,
      },
    ],
  }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }, context) => {
    const [, room] = TRANSCRIPT.exec(uri) ?? [];
    if (room === undefined) throw new ProtocolError(INVALID_PARAMS, "There are only meet-ai://rooms/ID here.");
    const { api } = callerOf(c, context);
    try {
      const text = await api.text(pathOf(room, "/messages"), { query: reading({ limit: 100 }, undefined) });
      return { contents: [{ uri, ...asText, text }] };
    } catch (error) {
      throw new ProtocolError(INVALID_PARAMS, await wordsFor(error, c));
    }
  });
}

function addPrompts(server: Server): void {
  server.setRequestHandler("prompts/list", () => ({
    prompts: PROMPTS.map(({ name, description, arguments: args }) => ({ name, description, arguments: [...args] })),
  }));
  server.setRequestHandler("prompts/get", ({ params }) => {
    const prompt = PROMPTS.find(({ name }) => name === params.name);
    if (!prompt) throw new ProtocolError(INVALID_PARAMS, `There is no prompt ${shown(params.name)}.`);
    const args = params.arguments ?? {};
    const missing = prompt.arguments.find(({ name, required }) => required && !args[name]);
    if (missing) throw new ProtocolError(INVALID_PARAMS, `${prompt.name} needs ${missing.name}.`);
    return { messages: [{ role: "user" as const, content: { type: "text" as const, text: prompt.text(args) } }] };
  });
}
