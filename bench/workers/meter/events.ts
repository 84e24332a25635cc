/**
 * Counts what comes to the objects of a class, and how long each is awake for it. The runtime looks for the methods that
 * it calls on a class, so that is where they are wrapped.
 */

import { DurableObject } from "cloudflare:workers";
import type { ObjectClass, Tally } from "../../meter/usage.ts";
import { awakeFor, wakefulnessOf } from "./awake.ts";

/** What is counted when the runtime calls a method by itself. Calls by others are counted where they are made. */
const COUNTED = { alarm: "alarms", webSocketMessage: "frames" } as const;

/** Has the objects of `metered`, which is derived from the class that it meters, count their events into `tally`. */
export function meterEvents(metered: { readonly prototype: DurableObject }, of: ObjectClass, tally: Tally): void {
  const methods = new Map<string, (...args: unknown[]) => unknown>();
  let prototype: object = Object.getPrototypeOf(metered.prototype);
  for (; prototype !== DurableObject.prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name !== "constructor" && typeof value === "function" && !methods.has(name)) methods.set(name, value);
    }
  }
  for (const [name, method] of methods) {
    const counted = COUNTED[name as keyof typeof COUNTED];
    Object.defineProperty(metered.prototype, name, {
      configurable: true,
      writable: true,
      value(this: { ctx: DurableObjectState }, ...args: unknown[]) {
        if (counted) tally[of][counted]++;
        return awakeFor(wakefulnessOf(of, this.ctx.id.toString()), () => method.apply(this, args));
      },
    });
  }
}
