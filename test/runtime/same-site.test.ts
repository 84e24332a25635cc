/** Making a key is counted by address, so no page of another site may do it for its visitor. */

import { describe, expect, it } from "vitest";
import { ORIGIN, refusalOf, Visitor } from "./visitor.ts";

/** The status, and the code of a refusal, of `POST /api/keys` with `headers`. */
async function made(headers: Record<string, string>, visitor = new Visitor()): Promise<[number, string | undefined]> {
  const response = await visitor.fetch("/api/keys", { method: "POST", headers });
  const { error } = await response.json<{ error?: { code: string } }>();
  return [response.status, error?.code];
}

describe("a new key", () => {
  it.each([
    ["a program, which sends neither header", {}],
    ["the server's own page", { origin: ORIGIN, "sec-fetch-site": "same-origin" }],
    ["its own page, reached by plain HTTP over a network", { origin: ORIGIN }],
    ["its own page behind a proxy that ends TLS", { origin: ORIGIN.replace("https:", "http:") }],
    [
      "its own page behind a proxy that renames the host",
      { origin: "https://a.example", "sec-fetch-site": "same-origin" },
    ],
    ["a person who asks by themselves", { "sec-fetch-site": "none" }],
  ])("is made for %s", async (_, headers) => {
    expect(await made(headers)).toEqual([201, undefined]);
  });

  it("is refused to a form, whose types need no preflight, and costs nothing", async () => {
    const visitor = new Visitor();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const init = { method: "POST", body: "a=b", headers: { "content-type": type } };
      expect(await refusalOf(await visitor.fetch("/api/keys", init))).toEqual([400, "invalid"]);
    }
    for (let count = 0; count < 10; count++) expect(await made({}, visitor)).toEqual([201, undefined]);
  });

  it.each([
    ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["another site in a browser that says less", { origin: "https://evil.example" }],
    ["another site that hides its origin", { "sec-fetch-site": "cross-site" }],
    ["a sandboxed frame", { origin: "null" }],
    ["a neighbour under the same domain", { origin: "https://other.example", "sec-fetch-site": "same-site" }],
    ["another port of the same host", { origin: `${ORIGIN}:8443` }],
    ["a host that only begins like it", { origin: `${ORIGIN}.evil.example` }],
  ])("is refused to a page of %s, and costs its visitor nothing", async (_, headers) => {
    const visitor = new Visitor();
    for (let tried = 0; tried < 11; tried++) expect(await made(headers, visitor)).toEqual([403, "forbidden"]);
    expect(await made({}, visitor)).toEqual([201, undefined]);
  });
});
