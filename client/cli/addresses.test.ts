import { describe, expect, it } from "vitest";
import { roomOf, serverOf } from "./addresses.ts";

describe("a room", () => {
  it.each([
    ["lobby", {}, "https://meet-ai.cc", "lobby"],
    ["lobby", { MEET_AI_HOST: "http://localhost:8787/" }, "http://localhost:8787", "lobby"],
    ["lobby", { MEET_AI_HOST: "https://example.org/chat/" }, "https://example.org/chat", "lobby"],
    ["http://localhost:1/r/den", { MEET_AI_HOST: "https://meet-ai.cc" }, "http://localhost:1", "den"],
    ["https://x.org/chat/r/den#invite=inv_1", {}, "https://x.org/chat", "den"],
  ])("%s with %j", (name, env, server, room) => {
    expect(roomOf(name, env)).toMatchObject({ server, room });
  });

  it.each(["Lobby", "-x", "a b", "localhost:8787/r/lobby", "https://meet-ai.cc/rooms"])("%s is none", (name) => {
    expect(() => roomOf(name, {})).toThrow(/is no room|is not the address of a room/);
  });

  it.each(["localhost:8787", "meet-ai.cc", "ftp://x", "http://a:b@x", "http://x?y"])("%s is no server", (host) => {
    expect(() => serverOf({ MEET_AI_HOST: host })).toThrow("MEET_AI_HOST is a server such as");
  });
});
