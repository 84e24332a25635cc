/**
 * What a directory of the format's versions 1 and 2 has of rooms' members, invites and moderation: a record each. They become
 * parts of their rooms, as today's have them.
 */

import type { DirectoryRecord, StateRecord } from "./records.ts";

/** A row of the tables that kept these. Times are ISO 8601, but for those in a `body`. */
export type FormerRecord =
  | { readonly type: "member"; readonly room: string; readonly since: string; readonly change?: number }
  | {
      readonly type: "invite";
      readonly room: string;
      readonly createdAt: string;
      readonly expiresAt: string | null;
      readonly change?: number;
    }
  | {
      readonly type: "moderation";
      readonly room: string;
      readonly kind: "deed" | "held";
      readonly id: string;
      readonly body: Readonly<Record<string, unknown>>;
    };

/** The types of such records. */
export const FORMER_TYPES: readonly string[] = ["member", "invite", "moderation"] satisfies FormerRecord["type"][];

/** `records` with the former ones gathered into parts. Those of one part of a room come together. */
export async function* gathered(
  records: AsyncIterable<DirectoryRecord | FormerRecord>,
): AsyncGenerator<DirectoryRecord, void> {
  let part: (StateRecord & { readonly body: object[] }) | undefined;
  for await (const record of records) {
    const item = itemOf(record);
    if (part && (part.part !== item?.part || part.room !== item.room)) {
      yield part;
      part = undefined;
    }
    if (!item) yield record as DirectoryRecord;
    else {
      part ??= { type: "state", room: item.room, part: item.part, body: [] };
      part.body.push(item.body);
    }
  }
  if (part) yield part;
}

/** A former record as it stands in its part. */
function itemOf(record: DirectoryRecord | FormerRecord): { room: string; part: string; body: object } | undefined {
  if (record.type === "member") {
    const { type: _, room, change: __, since, ...row } = record;
    return { room, part: "members", body: { ...row, since: Date.parse(since) } };
  }
  if (record.type === "invite") {
    const { type: _, room, change: __, createdAt, expiresAt, ...row } = record;
    const expires = expiresAt === null ? null : Date.parse(expiresAt);
    return { room, part: "invites", body: { ...row, createdAt: Date.parse(createdAt), expiresAt: expires } };
  }
  if (record.type !== "moderation") return undefined;
  const { room, kind, id } = record;
  const { v: _, detail, ...row } = record.body;
  if (kind === "deed") {
    return { room, part: "deeds", body: { n: Number(id), ...row, detail: JSON.parse(String(detail)) as object } };
  }
  // The first form of a held message did not say that it is a text.
  return { room, part: "held", body: { id, kind: "text", ...row } };
}
