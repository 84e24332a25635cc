/** What the operator's page asks the server, with the operator's secret. */

import { call } from "../api.ts";

export interface RoomFigures {
  id: string;
  name: string;
  access: "open" | "members";
  listed: boolean;
  closed: boolean;
  hidden: boolean;
  owner: string | null;
  messages: number;
  lastMessageAt: string | null;
}

/** A room with its own word, where it was asked. */
export interface BusyRoom extends RoomFigures {
  now: {
    bytes: number;
    connections: { people: number; agents: number; spectators: number };
    archive: { lag: number; failures: number; refused: number; hold: { limit: "full" | "day" } | null };
  } | null;
}

export interface Overview {
  at: string;
  notice: { text: string; since: string } | null;
  storage: { database: { bytes: number; limit: number | null; share: number | null } };
  estimatedByDay: ({ day: string } & Record<string, number | string>)[];
  dailyLimits: Record<string, number> | null;
  rooms: { count: number; messages: number; isWhole: boolean; largest: RoomFigures[]; busiest: BusyRoom[] };
  errors: {
    counts: { day: string; code: string; count: number }[];
    incidents: { id: string; at: string; code: string; what: string; place: string }[];
  };
}

export interface OperatorDeed {
  id: string;
  at: string;
  method: string;
  path: string;
  target: string | null;
  detail: string | null;
  status: number;
}

export interface Member {
  sender: string;
  role: string;
}

const LOBBY = "/api/rooms/lobby/members";

export const readOverview = (operator: string) => call<Overview>("GET", "/api/admin/overview", { operator });
export const readAudit = (operator: string, cursor?: string | null) =>
  call<{ entries: OperatorDeed[]; next: string | null }>(
    "GET",
    `/api/admin/audit?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`,
    { operator },
  );
export const holdRoom = (operator: string, id: string, body: { closed?: boolean; hidden?: boolean }) =>
  call<void>("PATCH", `/api/admin/rooms/${encodeURIComponent(id)}`, { operator, body });
export const revokeKeyOf = (operator: string, handle: string) =>
  call<void>("DELETE", `/api/admin/keys/${encodeURIComponent(handle)}`, { operator });
export const setNotice = (operator: string, text: string) =>
  call<void>("PUT", "/api/admin/notice", { operator, body: { text } });
export const removeNotice = (operator: string) => call<void>("DELETE", "/api/admin/notice", { operator });
export const lobbyModerators = (operator: string) =>
  call<{ members: Member[] }>("GET", `${LOBBY}?limit=200`, { operator }).then(({ members }) =>
    members.filter(({ role }) => role === "moderator"),
  );
export const addModerator = (operator: string, handle: string) =>
  call<void>("PUT", `${LOBBY}/${encodeURIComponent(handle)}`, { operator, body: { role: "moderator" } });
export const removeModerator = (operator: string, handle: string) =>
  call<void>("DELETE", `${LOBBY}/${encodeURIComponent(handle)}`, { operator });
