import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openapiJson } from "./document.ts";

it("openapi.json is as the schemas are: `npm run openapi` writes it anew", () => {
  const committed = readFileSync(join(import.meta.dirname, "../../openapi.json"), "utf8");
  expect(JSON.parse(committed)).toEqual(JSON.parse(openapiJson));
  expect(committed).toBe(openapiJson);
});
