import { expect, test } from "vitest";
import { newestInView } from "./opening.ts";
import type { Item } from "./rows.ts";

const said = (content: string): Item => ({ kind: "row", key: content, row: { message: { content } } }) as Item;

const lines = Array.from({ length: 50 }, (_, index) => said(`Line ${index}`));

test("as many of the newest as fill the view, in order", () => {
  const view = newestInView(lines, 220);
  expect(view.length).toBeGreaterThanOrEqual(10);
  expect(view.length).toBeLessThan(50);
  expect(view).toEqual(lines.slice(-view.length));
});

test("a long one takes the place of many", () => {
  const long = said("A long line that goes on and on. ".repeat(100));
  expect(newestInView([...lines, long], 220)).toEqual([long]);
  expect(newestInView([...lines, said("- one\n".repeat(20))], 220)).toHaveLength(1);
});

test("what does not fill the view is all there", () => {
  expect(newestInView(lines.slice(0, 3), 220)).toHaveLength(3);
});

test("in a window without a height, the newest one, so that opening comes to an end", () => {
  expect(newestInView(lines, 0)).toEqual(lines.slice(-1));
});
