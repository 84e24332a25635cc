/**
 * This project's own Worker with Limiters that can be made slow, as one that is far away or has too much to do.
 *
 *     GET /limiters/asked     the names of those that were asked since the last time
 *     GET /limiters/slow?name=NAME&by=MS     from now on each call of that one takes so much longer
 */

import api, { ChatRoom as PlainChatRoom, Person as PlainPerson, Quota as PlainQuota } from "../../api/index.ts";
import { type ObjectCall, withCallsThrough } from "./meter/calls.ts";

const asked = new Set<string>();
/** By name, ms. */
const delays = new Map<string, number>();

export class ChatRoom extends PlainChatRoom {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, slowed(env));
  }
}

export class Person extends PlainPerson {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, slowed(env));
  }
}

export class Quota extends PlainQuota {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, slowed(env));
  }
}

export default {
  ...api,
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/limiters/asked") {
      const names = [...asked];
      asked.clear();
      return Response.json(names);
    }
    if (pathname === "/limiters/slow") {
      delays.set(searchParams.get("name") ?? "", Number(searchParams.get("by")));
      return new Response();
    }
    return api.fetch(request, slowed(env), ctx);
  },
};

function slowed(env: Env): Env {
  return { ...env, PERSON: withCallsThrough(env.PERSON, later), QUOTA: withCallsThrough(env.QUOTA, later) };
}

function later({ name }: ObjectCall, run: () => unknown): unknown {
  asked.add(name);
  const delay = delays.get(name);
  return delay === undefined ? run() : scheduler.wait(delay).then(run);
}
