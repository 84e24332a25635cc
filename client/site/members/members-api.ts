/** Members and invites over HTTP, as the site's pages use them. They throw as `api.ts` does. */

import type { MemberRole, Role } from "../../../party/protocol.ts";
import { call, roomPath } from "../api.ts";

export interface Member {
  sender: string;
  role: MemberRole;
  /** ISO 8601. */
  since: string;
}

export interface MemberPage {
  members: Member[];
  /** The cursor of the next page; null on the last. */
  next: string | null;
}

export interface Invite {
  id: string;
  role: MemberRole;
  /** How many people may use it, and have. */
  uses: number;
  used: number;
  createdBy: string;
  createdAt: string;
  /** ISO 8601; null: never. */
  expires: string | null;
}

/** An invite with its link, which is told only once. */
export interface NewInvite extends Invite {
  secret: string;
  url: string;
}

export interface InviteWish {
  role?: MemberRole;
  uses?: number;
  expires?: string | null;
}

export const listMembers = (key: string, room: string, cursor = "") =>
  call<MemberPage>("GET", `${roomPath(room)}/members?limit=50&cursor=${encodeURIComponent(cursor)}`, { key });

/** What `sender` is: for those who moderate, and for oneself. */
export const getMember = (key: string, room: string, sender: string) =>
  call<{ sender: string; role: Role }>("GET", memberPath(room, sender), { key });

/** Makes `sender` a member, or gives a member another role. */
export const putMember = (key: string, room: string, sender: string, role: MemberRole) =>
  call<Member>("PUT", memberPath(room, sender), { key, body: { role } });

export const removeMember = (key: string, room: string, sender: string) =>
  call<void>("DELETE", memberPath(room, sender), { key });

/** Hands the room to a member; the owner of before becomes a moderator. */
export const handOver = (key: string, room: string, handle: string) =>
  call<{ owner: string }>("POST", `${roomPath(room)}/owner`, { key, body: { handle } });

export const listInvites = (key: string, room: string) =>
  call<{ invites: Invite[] }>("GET", `${roomPath(room)}/invites`, { key }).then(({ invites }) => invites);

/** Makes an invite; what is not wished for is as the server has it: a member, one use, seven days. */
export const createInvite = (key: string, room: string, wish: InviteWish = {}) =>
  call<NewInvite>("POST", `${roomPath(room)}/invites`, { key, body: wish });

export const revokeInvite = (key: string, room: string, id: string) =>
  call<void>("DELETE", `${roomPath(room)}/invites/${encodeURIComponent(id)}`, { key });

const memberPath = (room: string, sender: string) => `${roomPath(room)}/members/${encodeURIComponent(sender)}`;
