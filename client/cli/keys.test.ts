import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findKey } from "./keys.ts";

const HOME = mkdtempSync(join(tmpdir(), "meet-ai-keys-"));
const MEET_AI_KEY = `mai_${"k".repeat(24)}`;

afterAll(() => rmSync(HOME, { recursive: true }));

describe("the key in MEET_AI_KEY", () => {
  it.each([
    [{}, "https://meet-ai.cc"],
    [{ MEET_AI_HOST: "http://localhost:8787/" }, "http://localhost:8787"],
  ])("with %j goes to %s, and to no other server", async (host, server) => {
    const env = { HOME, MEET_AI_KEY, ...host };
    expect(await findKey(server, { env })).toMatchObject({ key: MEET_AI_KEY });
    expect(await findKey("https://evil.example", { env })).toBeUndefined();
  });
});
