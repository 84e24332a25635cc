/**
 * This project's own Worker with its questions to D1 counted, and nothing else: `metered.ts` counts all that is billed, but
 * takes too much time itself for a bench of speed. `GET /usage` tells the sums, as `../meter/usage.ts` describes them.
 */

import api, { ChatRoom as PlainChatRoom, Person as PlainPerson, Quota as PlainQuota } from "../../api/index.ts";
import { emptyTally, type Usage } from "../meter/usage.ts";
import { meteredDatabase } from "./meter/database.ts";

const tally = emptyTally();

export class ChatRoom extends PlainChatRoom {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, counted(env));
  }
}

export class Person extends PlainPerson {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, counted(env));
  }
}

export class Quota extends PlainQuota {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, counted(env));
  }
}

export default {
  ...api,
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    if (new URL(request.url).pathname !== "/usage") return api.fetch(request, counted(env), ctx);
    return Response.json({ ...tally, unmetered: [...tally.unmetered] } satisfies Usage);
  },
};

function counted(env: Env): Env {
  return { ...env, DB: meteredDatabase(env.DB, tally, (answer) => answer) };
}
