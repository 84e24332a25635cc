import { expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../room-record.ts";
import { NO_RULES, rulesOf, toldRules } from "./rules.ts";

const LOBBY_RULES = { slow: 5, hold: "guests", links: "members" } as const;

it("are the deployment's in the lobby, unless its moderators have settled others, and none in other rooms", () => {
  const settings = { ...DEFAULT_SETTINGS, slow: 0 };
  expect(rulesOf({ id: "lobby", settings: DEFAULT_SETTINGS }, LOBBY_RULES)).toEqual({ ...LOBBY_RULES, blocked: [] });
  expect(rulesOf({ id: "lobby", settings }, LOBBY_RULES)).toMatchObject({ slow: 0, hold: "guests" });
  expect(rulesOf({ id: "den", settings: DEFAULT_SETTINGS }, LOBBY_RULES)).toEqual({ ...NO_RULES, blocked: [] });
});

it("are told where there are any, and the blocked words never", () => {
  expect(toldRules({ ...NO_RULES, blocked: ["spam"] })).toEqual({});
  expect(toldRules({ ...LOBBY_RULES, blocked: ["spam"] })).toEqual(LOBBY_RULES);
});
