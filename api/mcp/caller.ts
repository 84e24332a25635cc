/** Who calls over MCP: an agent of the person whose key is in the header, a site's user, or nobody in particular. */

import { decodeJwt } from "jose/jwt/decode";
import { parseAgentName } from "../../party/identity/agent-name.ts";
import { participantOf } from "../../party/identity/sender.ts";
import { BoundedMap } from "../../party/limits/bounded-map.ts";
import { accept, authenticate, type Call, presentedHash, presentedToken } from "../request.ts";

/** What an agent is called whose address names none. Never like its person: who writes over MCP is a program. */
const UNNAMED = "agent";

/** The name of the agent for which the request `c` comes: `/mcp?as=claude`. A site's user has none. */
export const agentOf = (c: Call): string | undefined =>
  presentedToken(c) ? undefined : (c.req.query("as") ?? UNNAMED);

/** Whose keys are, by their SHA-256, lately used first: a handle never changes, and an agent that waits asks all day. */
const handles = new BoundedMap<string, string>(10_000);

/**
 * The sender of the request `c`, to pick out what they are shown. What a token says is not checked here, nor is it whether a
 * key that was valid once still is: what is done with them is asked of the API, which checks both.
 */
export async function senderOf(c: Call, as: unknown): Promise<string | undefined> {
  if (!/^bearer +\S/i.test(c.req.header("authorization")?.trim() ?? "")) return undefined;
  const presented = presentedToken(c);
  if (presented) return userOf(presented.token);
  const agent = as === undefined ? undefined : accept(parseAgentName(as));
  const keyHash = await presentedHash(c.req.raw.headers);
  if (keyHash === undefined) return undefined;
  const handle = handles.get(keyHash) ?? (await authenticate(c)).owner.handle;
  handles.set(keyHash, handle);
  return participantOf({ id: "", handle }, keyHash, agent).sender;
}

function userOf(token: string): string | undefined {
  try {
    const { sub, iss } = decodeJwt(token);
    return `${sub}@${iss}`;
  } catch {
    return undefined;
  }
}
