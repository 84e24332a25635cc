import { expect, it } from "vitest";
import type { StoredKind } from "../log/stored-message.ts";
import { Newcomers } from "./newcomers.ts";
import { Screen } from "./screen.ts";

it("who has written, asked or answered is no newcomer any more; who has only deleted something is one", () => {
  const journal = { head: 0, archived: 0, after: () => [] };
  const newcomers = new Newcomers({ room: () => "lobby", now: () => 0, journal, wroteInD1: async () => false });
  const screen = new Screen({ rules: () => ({ hold: "newcomers" }), newcomers } as never);
  const kinds: StoredKind[] = ["text", "ask", "answer:yes", "deletion", "expiry"];
  screen.placed(kinds.map((kind) => ({ kind, sender: `did-${kind}` })));
  expect(kinds.filter((kind) => newcomers.isOne(`did-${kind}`))).toEqual(["deletion", "expiry"]);
});
