/** The secret of an invite: `inv_`, the invite's id, and 24 random characters. It is told once and kept as its SHA-256. */

import { nanoid } from "nanoid";
import { newRoomId, sha256Hex } from "../identity/sender.ts";

const FORM = /^inv_([2-9a-z]{12})[A-Za-z0-9_-]{24}$/;

/** A new invite's id, and its secret. */
export function newInviteSecret(): { readonly id: string; readonly secret: string } {
  const id = newRoomId();
  return { id, secret: `inv_${id}${nanoid(24)}` };
}

/** An invite as it is presented. */
export interface PresentedInvite {
  /** `undefined` where what was presented is no secret of an invite. */
  readonly id: string | undefined;
  /** SHA-256 of the secret, in hex. */
  readonly secretHash: string;
}

/** The invite that this would be the secret of. */
export const presentedInvite = async (secret: string): Promise<PresentedInvite> => ({
  id: FORM.exec(secret)?.[1],
  secretHash: await sha256Hex(secret),
});
