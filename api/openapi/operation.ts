/** What operations are described with: whose they are, where they are, what they take and answer. */

import * as z from "zod/mini";
import { SENDER } from "../../party/identity/sender-form.ts";
import { described } from "./described.ts";
import { RoomId, Seq } from "./fields.ts";

/** The credentials of a call, each of which will do; `{}` among them: none. */
export const open = { security: [] };
export const byKey = { security: [{ key: [] }] };
export const byOwner = { security: [{ key: [] }, { operator: [] }] };
export const byReader = { security: [{}, { key: [] }, { guest: [] }, { token: [] }, { operator: [] }] };
export const byMember = { security: [{ key: [] }, { guest: [] }, { token: [] }, { operator: [] }] };
export const byWriter = { security: [{ key: [] }, { token: [] }] };
export const byAuthor = { security: [{ key: [] }, { token: [] }, { operator: [] }] };
export const byOperator = { security: [{ operator: [] }] };

export const inRoom = { path: z.object({ id: RoomId }) };
const sender = described(z.string().check(z.regex(SENDER)), "As it stands under a message, URL-encoded.");
export const ofSender = { path: z.object({ id: RoomId, sender }) };
export const ofInvite = { path: z.object({ id: RoomId, invite: described(z.string(), "The invite's id.") }) };
export const ofHeld = { path: z.object({ id: RoomId, held: z.string() }) };
export const ofMessage = { path: z.object({ id: RoomId, seq: Seq }) };

export const json = (schema: z.ZodMiniType) => ({ "application/json": { schema } });
export const takes = (schema: z.ZodMiniType, required = true) => ({ requestBody: { required, content: json(schema) } });
export const text = (type: string) => ({ [type]: { schema: { type: "string" as const } } });
