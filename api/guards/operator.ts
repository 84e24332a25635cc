/**
 * Whether a caller is the operator. The secret is compared in a time that does not depend on how much of a guess is right.
 *
 * An address gets only so many wrong guesses; then others are refused without a word about them. The right secret is taken
 * all the same, or whoever shares the operator's address could lock the operator out. What keeps guesses from being right
 * is the secret's length (`configuration.ts`): a billion a second would take longer than the sun has left.
 */

import { BoundedMap } from "../../party/limits/bounded-map.ts";
import { TokenBucket } from "../../party/limits/token-bucket.ts";
import { type Fault, fault } from "../../party/protocol.ts";

/** The same where there is no operator: nobody learns which it is. */
const NOT_THE_OPERATOR = fault("unauthorized", "This operator's secret is not valid.");

/** Wrong guesses that one address has at once, and how many more a second. */
const GUESSES_AT_ONCE = 100;
const GUESSES_PER_SECOND = 1;
const TOO_MANY = fault("rate_limited", "Too many wrong secrets from your address; wait a little.", 5);

/** Addresses of which it is remembered how many wrong secrets they have presented. */
const ADDRESSES = 10_000;

const guesses = new BoundedMap<string, TokenBucket>(ADDRESSES);

/** Why `presented`, which came from `address` at `now` (ms), is not taken for the operator's secret; `undefined` when it is. */
export function checkOperator(
  presented: string,
  secret: string | undefined,
  address: string,
  now: number,
): Fault | undefined {
  if (secret !== undefined && isSame(presented, secret)) return undefined;
  const left = guesses.getOrMake(address, () => new TokenBucket(GUESSES_AT_ONCE, GUESSES_PER_SECOND, now));
  return left.spend(now) ? NOT_THE_OPERATOR : TOO_MANY;
}

/** Looks at every character of `presented`, whatever it finds. That the length shows is no help: it is known. */
function isSame(presented: string, secret: string): boolean {
  if (presented.length !== secret.length) return false;
  let difference = 0;
  for (let index = 0; index < secret.length; index++) {
    difference |= presented.charCodeAt(index) ^ secret.charCodeAt(index);
  }
  return difference === 0;
}
