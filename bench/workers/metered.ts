/**
 * This project's own Worker with a meter on everything that the platform bills. `GET /usage` tells the sums since the
 * start, as `../meter/usage.ts` describes them.
 */

import api, { ChatRoom as PlainChatRoom, Person as PlainPerson, Quota as PlainQuota } from "../../api/index.ts";
import { emptyTally, type ObjectClass, type Usage } from "../meter/usage.ts";
import { awakeDuring, meterTimers, sumAwake } from "./meter/awake.ts";
import { withCallsThrough } from "./meter/calls.ts";
import { meteredDatabase } from "./meter/database.ts";
import { meterEvents } from "./meter/events.ts";
import { meterStorage } from "./meter/storage.ts";

const tally = emptyTally();
meterTimers();

export class ChatRoom extends PlainChatRoom {
  constructor(ctx: DurableObjectState, env: Env) {
    wakes("room", ctx);
    super(ctx, metered(env));
  }
}
meterEvents(ChatRoom, "room", tally);

export class Person extends PlainPerson {
  constructor(ctx: DurableObjectState, env: Env) {
    wakes("limiter", ctx);
    super(ctx, metered(env));
  }
}
meterEvents(Person, "limiter", tally);

export class Quota extends PlainQuota {
  constructor(ctx: DurableObjectState, env: Env) {
    wakes("limiter", ctx);
    super(ctx, metered(env));
  }
}
meterEvents(Quota, "limiter", tally);

export default {
  ...api,
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/usage") return Response.json(usage());
    tally.workerRequests++;
    return api.fetch(request, metered(env), ctx);
  },
};

function usage(): Usage {
  sumAwake(tally);
  return { ...tally, unmetered: [...tally.unmetered] };
}

/** An object has been made: counts it, and what its storage does from now on. */
function wakes(of: ObjectClass, ctx: DurableObjectState): void {
  tally[of].wakes++;
  meterStorage(ctx.storage, tally[of]);
}

/** The bindings, each with its meter. */
function metered(env: Env): Env {
  return {
    ...env,
    DB: meteredDatabase(env.DB, tally, awakeDuring),
    CHAT_ROOM: withCallsThrough(env.CHAT_ROOM, (_, run) => counted("room", run)),
    PERSON: withCallsThrough(env.PERSON, (_, run) => counted("limiter", run)),
    QUOTA: withCallsThrough(env.QUOTA, (_, run) => counted("limiter", run)),
  };
}

/** A call is counted where it is made: what an object calls of its own is no request. Its caller is awake for it. */
function counted(of: ObjectClass, run: () => unknown): unknown {
  tally[of].calls++;
  const answer = run();
  void awakeDuring(Promise.resolve(answer)).catch(() => undefined);
  return answer;
}
