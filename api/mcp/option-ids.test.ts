import { expect, it } from "vitest";
import { parseAsk } from "../../party/asks/ask-parser.ts";
import type { AskOption } from "../../party/protocol.ts";
import { withIds } from "./option-ids.ts";

it.each<[string[], (string | AskOption)[]]>([
  [
    ["yes", "no"],
    ["yes", "no"],
  ],
  [
    ["Not now", "yes"],
    [{ id: "not-now", label: "Not now" }, "yes"],
  ],
  [
    ["Yes!", "yes"],
    [{ id: "option-1", label: "Yes!" }, "yes"],
  ],
  [
    ["Yes!", "YES"],
    [
      { id: "yes", label: "Yes!" },
      { id: "option-2", label: "YES" },
    ],
  ],
  [
    ["Да", "Нет"],
    [
      { id: "option-1", label: "Да" },
      { id: "option-2", label: "Нет" },
    ],
  ],
  [
    [`${"long ".repeat(15)}1`, `${"long ".repeat(15)}2`],
    [
      { id: "long-long-long-long-long-long-lo", label: `${"long ".repeat(15)}1` },
      { id: "option-2", label: `${"long ".repeat(15)}2` },
    ],
  ],
  [
    ["option-2", "Да"],
    ["option-2", { id: "option-2-2", label: "Да" }],
  ],
])("labels %j become options that the room takes", (labels, options) => {
  expect(withIds(labels)).toEqual(options);
  expect(parseAsk({ options: options as unknown[] })).not.toHaveProperty("fault");
});

it("what is no label is left to the API", () => {
  expect(withIds([1, "yes", null])).toEqual([1, "yes", null]);
});
