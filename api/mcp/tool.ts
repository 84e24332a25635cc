/** What a tool is: how it is described to a model, and what it does. */

import type { JSONObject } from "@modelcontextprotocol/server";
import type { ApiCall } from "./api-call.ts";

export type Arguments = Readonly<Record<string, unknown>>;

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of each parameter, in as few words as a model needs: the API says what is wrong with a value. */
  readonly parameters: Readonly<Record<string, JSONObject>>;
  readonly required?: readonly string[];
  readonly annotations: Annotations;
  /** Answers in text. Throws what the API refuses. */
  run(args: Arguments, caller: Caller): Promise<string>;
}

/** What a client may ask its user about before it calls a tool. */
export interface Annotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
}

/** Who calls a tool, and by what. */
export interface Caller {
  readonly api: ApiCall;
  /** Where people reach this server. */
  readonly origin: string;
  /** What the caller's agent is called where a call does not say; absent for a site's user, who has none. */
  readonly agent: string | undefined;
  /** The sender of the caller's agent, here called `as`; `undefined` for a caller without a key. Refuses one that is not valid. */
  me(as: unknown): Promise<string | undefined>;
  /** Tells a client that wants to know how much of `total` seconds is over, until the returned function is called. */
  report(total: number): () => void;
}
