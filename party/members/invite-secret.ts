/** The secret of an invite: `inv_`, the invite's id, and 24 random characters. It is told once and kept as its SHA-256. */

import { nanoid } from "nanoid";
import { newRoomId } from "../identity/sender.ts";

const FORM = /^inv_([2-9a-z]{12})[A-Za-z0-9_-]{24}$/;

/** A new invite's id, and its secret. */
export function newInviteSecret(): { readonly id: string; readonly secret: string } {
  const id = newRoomId();
  return { id, secret: `inv_${id}${nanoid(24)}` };
}

/** The id of the invite that this would be the secret of; `undefined` for what is no secret. */
export const inviteIdOf = (secret: string): string | undefined => FORM.exec(secret)?.[1];
