import { expect, it } from "vitest";
import { orderIn } from "./orders.ts";

it.each([
  ["@anna/claude /stop", "stop"],
  ["@Anna/Claude, /STOP ", "stop"],
  ["@anna/claude: /new", "new"],
  ["@anna/claude /status", "status"],
  ["@anna/claude please /stop", undefined],
  ["@anna/claude /stop it", undefined],
  ["@anna/claude/stop", undefined],
  ["@anna/claude-2 /stop", undefined],
  ["/stop", undefined],
  ["@anna/claude /quit", undefined],
])("%j", (content, order) => {
  expect(orderIn(content, "anna/claude")).toBe(order);
});
