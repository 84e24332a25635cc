/** `meet-ai bridge`: a coding agent, or any command, as a participant of a room. */

import { join as pathOf, resolve } from "node:path";
import { isAgent, personOf } from "../../../party/mentions.ts";
import { LIMITS } from "../../../party/protocol.ts";
import { AcpAgent } from "../../bridge/acp-agent.ts";
import type { Agent } from "../../bridge/agent.ts";
import { Bridge } from "../../bridge/bridge.ts";
import { withoutKey } from "../../bridge/child.ts";
import { wayTo } from "../../bridge/known-agents.ts";
import { permissionAsker } from "../../bridge/permission.ts";
import { PlainAgent } from "../../bridge/plain-agent.ts";
import { TurnRecord } from "../../bridge/turn-record.ts";
import { Waiting } from "../../bridge/waiting.ts";
import { inviteIn } from "../../stay/invite.ts";
import { join } from "../../stay/join.ts";
import { RoomError } from "../../stay/room-error.ts";
import { type NamedRoom, roomOf } from "../addresses.ts";
import { readApi } from "../api.ts";
import { argumentsOf, duration, listOf, nothingMore, required, wholeNumber } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { fileNameOf, type KnownKey, requireKey, stateFolder } from "../keys.ts";
import { timeOf } from "../message-lines.ts";
import { explained, lookAt } from "../room-look.ts";
import { visibleLine } from "../visible-text.ts";

export const help = `  meet-ai bridge my-room --as claude -- claude             Claude Code, by ACP
  meet-ai bridge my-room --as codex -- codex               Codex; so, too: gemini, opencode, cursor-agent
  meet-ai bridge my-room --as mine --acp -- ./my-agent     any other agent that speaks ACP
  meet-ai bridge my-room --as answer -- ./answer.sh        any command: the prompt on stdin, the answer on stdout
  meet-ai bridge my-room --as upper --bare -- tr a-z A-Z   with nothing but the question on stdin

It answers who mentions it, streams the answer as a draft, and posts it. Each mention is answered once, whatever dies in
between; what comes while it works is answered together. What the agent wants to do and may not is asked in the room.
People tell the bridge itself: "@you/claude /stop", "/new" (a new session), "/status". Ctrl-C ends the answer, then the bridge.

Whom it answers
  --allow NAMES      these, with commas between (anna,swift-otter/reviewer); without it the room's owner and you
  --anyone           whoever may write in the room. They tell your agent what to do on this machine
  --every-message    also what does not mention it
  --in-a-row N       after N answers without a message by a person it waits for one (5)
  --cooldown TIME    from the end of an answer to the next (2s; 0 for none)

How it answers
  --as AGENT         its name: 1 to 32 characters of a-z, 0-9 and -
  --acp, --plain     speak ACP to the command, or do not
  --bare             a plain command gets the question alone
  --cwd DIR          the folder that it works in (this one)
  --time-out TIME    for one answer, without the waiting for people (10m)
  --max-bytes N      of one answer (${LIMITS.contentBytes})
  --context N        characters of the room in a prompt (8000)
  --ask-for TIME     how long people have to allow something; then it is denied (15m)
  --state FILE       where it is kept how far it has come ($XDG_STATE_HOME/meet-ai/bridges)
${KEY_HELP}
`;

const OPTIONS = {
  ...KEY_OPTIONS,
  as: { type: "string" },
  allow: { type: "string" },
  anyone: { type: "boolean" },
  "every-message": { type: "boolean" },
  "in-a-row": { type: "string", default: "5" },
  cooldown: { type: "string", default: "2s" },
  acp: { type: "boolean" },
  plain: { type: "boolean" },
  bare: { type: "boolean" },
  cwd: { type: "string", default: "." },
  "time-out": { type: "string", default: "10m" },
  "max-bytes": { type: "string", default: String(LIMITS.contentBytes) },
  context: { type: "string", default: "8000" },
  "ask-for": { type: "string", default: "15m" },
  state: { type: "string" },
} as const;

/** How soon a bridge whose connection broke is back, in seconds: so long its agent counts as one that is woken. */
const BACK_WITHIN = 120;
/** The least that an answer may have, in bytes: what is said about its end has room in it. */
const LEAST_BYTES = 1_000;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const at = args.indexOf("--");
  const command = at === -1 ? [] : args.slice(at + 1);
  const { values, positionals } = argumentsOf("bridge", at === -1 ? args : args.slice(0, at), OPTIONS);
  const [name, ...rest] = positionals;
  const room = roomOf(required("bridge", name, "ROOM"), env);
  nothingMore("bridge", rest);
  const as = required("bridge", values.as, "--as AGENT");
  if (command.length === 0) throw usage('The command is missing: it stands behind "--". See: meet-ai bridge --help');
  if (values.acp && values.plain) throw usage("Say --acp or --plain, not both.");
  const mostBytes = wholeNumber("--max-bytes", values["max-bytes"], LEAST_BYTES);
  const limits = {
    cooldown: values.cooldown === "0" ? 0 : duration("--cooldown", values.cooldown),
    timeOut: duration("--time-out", values["time-out"]),
    mostBytes,
    context: wholeNumber("--context", values.context, 1_000),
  };
  const inARow = wholeNumber("--in-a-row", values["in-a-row"], 1);
  const patience = duration("--ask-for", values["ask-for"]);

  const note = (text: string) => output.note(`${timeOf(new Date().toISOString(), "time")} ${visibleLine(text)}`);
  const known = await requireKey(room.server, { env, keyFile: values["key-file"] });
  const look = inviteIn(room.url) === undefined ? await lookAt(room, known, signal) : undefined;
  const { handle } = await ownerOf(room, known, signal);

  const { command: started, speaks } = wayTo(command, values.acp ? "acp" : values.plain ? "plain" : undefined);
  if (started !== command) note(`${command[0]} speaks ACP by: ${started.join(" ")}`);
  const place = { cwd: resolve(values.cwd), env: withoutKey(env, known.key) };
  const agent: Agent = speaks === "acp" ? new AcpAgent(started, place) : new PlainAgent(started, place);
  // Nobody is to see it come before it can answer.
  try {
    await agent.start(signal);
    const file = `${fileNameOf(room.server)}~${room.room}~${handle}~${as}.json`;
    const record = await TurnRecord.open(values.state ?? pathOf(stateFolder(env), "bridges", file));
    const waiting = new Waiting(record, async () => undefined);
    await using stay = await join(room.url, { key: known.key, as, wakes: BACK_WITHIN, cursor: waiting });
    const { clockAhead, createdBy } = look ?? (await lookAt(room, known, signal));
    await waiting.flush();
    const me = stay.me as string;
    const allowed = values.anyone ? "anyone" : allowedOf(values.allow, createdBy, personOf(me));
    const people = allowed === "anyone" ? "people" : allowed.filter((sender) => !isAgent(sender));
    const bridge = await Bridge.begin({
      stay,
      agent,
      waiting,
      record,
      rules: { me, allowed, everyMessage: values["every-message"] === true, inARow },
      limits,
      isBare: values.bare === true,
      instructions: instructionsOf(room, known, () => stay.info?.instructions ?? 0),
      permission: permissionAsker({ stay, from: people, patience, clockAhead, note }),
      note,
    });
    note(`here as ${me}; it answers ${allowed === "anyone" ? "anyone" : allowed.join(", ")}. Ctrl-C ends it.`);
    await bridge.run(signal);
  } catch (error) {
    throw error instanceof RoomError ? explained(error, room, known) : error;
  } finally {
    await agent.close();
  }
  signal.throwIfAborted();
  return EXIT.done;
}

/** Whom it answers: those who are named, or the room's owner and the person whose agent it is. */
function allowedOf(named: string | undefined, owner: string | null, person: string): string[] {
  if (named === undefined) return [...new Set(owner === null ? [person] : [owner, person])];
  const names = listOf(named).map((name) => name.replace(/^@/, ""));
  if (names.length === 0) throw usage("--allow names nobody.");
  return names;
}

/** Whose key it is. */
async function ownerOf(room: NamedRoom, known: KnownKey, signal: AbortSignal): Promise<{ handle: string }> {
  try {
    return await readApi(room.server, "/api/keys/me", { key: known.key, signal, repeatable: true });
  } catch (error) {
    throw error instanceof RoomError ? explained(error, room, known) : error;
  }
}

/** What the room's owner asks of agents, read again when its version has changed. An answer does not wait for it for long. */
function instructionsOf(room: NamedRoom, known: KnownKey, version: () => number): () => Promise<string> {
  let read: { version: number; text: string } = { version: 0, text: "" };
  return async () => {
    const now = version();
    if (now === read.version) return read.text;
    const path = `/api/rooms/${encodeURIComponent(room.room)}`;
    const { instructions } = await readApi<{ instructions?: { text: string } | null }>(room.server, path, {
      key: known.key,
      patience: 5_000,
    }).catch(() => ({ instructions: undefined }));
    if (instructions === undefined) return read.text;
    read = { version: now, text: instructions?.text ?? "" };
    return read.text;
  };
}
