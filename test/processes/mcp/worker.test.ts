/** The built Worker has the protocol's library in it, and runs it only for those who speak the protocol. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const built = readFileSync(join(import.meta.dirname, "../../../dist/worker/index.js"), "utf8");

it("loads it by the first request to /mcp, and not when it starts", () => {
  // What `import()` loads is a function, which wraps all that stands in its module.
  const begins = [...built.matchAll(/^var (init_\w+) = __esm\(\{\n {2}"((?:[^"]*\/)?api\/mcp\/mcp-server\.ts)"/gm)];
  expect(begins).toHaveLength(1);
  const [, init = ""] = begins[0] ?? [];
  const calls = built.split("\n").filter((line) => line.includes(`${init}()`));
  expect(calls).toEqual([expect.stringMatching(/await Promise\.resolve\(\)\.then\(\(\) => \(init_mcp_server\(\)/)]);
  // The same of the library's modules, none of which the Worker calls as it starts.
  const library = [
    ...built.matchAll(/^var (init_\w+) = __esm\(\{\n {2}"([^"]*node_modules\/@modelcontextprotocol\/[^"]+)"/gm),
  ];
  expect(library.length).toBeGreaterThan(3);
  const atStart = new Set([...built.matchAll(/^(init_\w+)\(\);$/gm)].map(([, name]) => name));
  expect(atStart.size).toBeGreaterThan(3);
  expect(library.filter(([, name]) => atStart.has(name)).map(([, , file]) => file)).toEqual([]);
});
