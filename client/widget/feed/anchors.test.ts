/** What holds a reader's place when the message at the top of their view leaves the list. */

import { expect, test } from "vitest";
import { server } from "../../../test/browser/server.ts";
import { find, findAll, isWhole, mount, painted, until } from "../../../test/browser/widget.ts";

test("the draft at the top of the view is given up: the one below it, which is being read, does not move", async () => {
  const lobby = server.room("lobby").fill(60);
  const { element } = mount(server);
  await until(() => isWhole(element, 50));
  await painted();
  const scroller = find(element, ".scroller") as HTMLElement;
  const drafts = () => findAll(element, "meet-ai-message.draft");
  const [first, second] = [
    { id: "a", sender: "swift-otter/claude" },
    { id: "b", sender: "swift-otter/hal" },
  ];
  const lines = "A line.\n\n".repeat(20);
  lobby.update({ drafts: [first, second].map((draft) => ({ ...draft, append: lines })) });
  await until(() => drafts().length === 2 && drafts().every((draft) => draft.querySelectorAll("p").length === 20));
  await painted();
  const read = drafts()[1] as HTMLElement;
  const place = () => read.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
  scroller.scrollTop += place() - 40;
  await until(() => find(element, ".pill"));
  await painted();
  const before = place();
  expect(before).toBeGreaterThan(10);

  lobby.update({ drafts: [{ ...first, end: true }] });
  await until(() => drafts().length === 1);
  await painted();
  expect(drafts()[0]).toBe(read);
  expect(Math.abs(place() - before)).toBeLessThanOrEqual(1);
});
