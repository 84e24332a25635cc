import { expect, it } from "vitest";
import { openMetrics } from "./open-metrics.ts";

it("has each gauge with its unit, its help and its samples, and an end", () => {
  const text = openMetrics([
    { name: "a_bytes", unit: "bytes", help: "How much.", samples: [{ value: 5 }] },
    {
      name: "b",
      help: 'A "line"\nand \\ another.',
      samples: [{ value: 0.5, labels: { room: 'a"b\\c\nd', kind: "x" } }],
    },
    { name: "nothing", help: "Nothing is known.", samples: [] },
  ]);
  expect(text).toBe(
    [
      "# TYPE a_bytes gauge",
      "# UNIT a_bytes bytes",
      "# HELP a_bytes How much.",
      "a_bytes 5",
      "# TYPE b gauge",
      '# HELP b A \\"line\\"\\nand \\\\ another.',
      'b{room="a\\"b\\\\c\\nd",kind="x"} 0.5',
      "# EOF",
      "",
    ].join("\n"),
  );
});
