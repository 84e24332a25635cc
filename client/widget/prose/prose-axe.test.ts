import axe from "axe-core";
import { afterEach, expect, it } from "vitest";
import { proseStyles } from "./prose.styles.ts";
import { Prose } from "./prose.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };

const MESSAGE = `# One
## Two
#### Four

@swift-otter @calm-heron **bold** *em* ~~del~~ \`code\` [link](https://example.org/) ![image](https://example.org/x.png)

- item
  1. one
- [ ] open
- [x] done *item*

> quote with \`code\` and [link](https://example.org/)

| a | b |
|:--|--:|
| 1 | \`2\` |

\`\`\`tsx
// A comment
class Room extends Base {
  seq = 1;
  name = "lobby";
}
const view =
  <Feed of={room} open>
    text
  </Feed>;
\`\`\`

\`\`\`diff
- old
+ new
\`\`\`

${"line\n".repeat(50)}`;

afterEach(() => {
  document.body.replaceChildren();
  document.adoptedStyleSheets = [];
});

it.each(["light", "dark"])("axe finds nothing in the %s theme", async (theme) => {
  const page = new CSSStyleSheet();
  page.replaceSync(`:root { color-scheme: ${theme}; background: ${theme === "dark" ? "#0f1115" : "#fff"} }`);
  document.adoptedStyleSheets = [page, proseStyles.styleSheet as CSSStyleSheet];
  const main = document.createElement("main");
  main.innerHTML = "<h1>Page</h1><h2>Room</h2>";
  document.body.append(main);
  const view = new Prose(main, { me: "swift-otter", labels });
  view.set(MESSAGE);
  await expect.poll(() => main.querySelectorAll("figure:has([class^=token])").length).toBe(2);
  main.querySelector<HTMLElement>(".fold-toggle")?.click();
  const { violations, incomplete } = await axe.run(main, { rules: { region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  // What axe could not tell is no pass.
  expect(incomplete.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});
