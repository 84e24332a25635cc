import { afterEach, expect, it } from "vitest";
import type { Prose } from "../../client/widget/prose/prose.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types lit-html";

const MESSAGE = `# Title

**bold** *em* ~~del~~ \`code\` [link](https://example.org/) https://example.org @swift-otter <b style="color:red">x</b>

- [x] task
- item

1. one

> quote

| a | b |
|:-:|--:|
| 1 | 2 |

\`\`\`ts
const answer = "42"; // yes
\`\`\`

${"line\n".repeat(60)}`;

afterEach(() => document.body.replaceChildren());

it("shows every kind of block under a strict policy and Trusted Types without a violation", async () => {
  const frame = document.createElement("iframe");
  const script = new URL("prose-csp.page.ts", import.meta.url).href;
  frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script type="module" src="${script}"></script>`;
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
  document.body.append(frame);
  const violations: string[] = [];
  await loaded;
  const page = frame.contentWindow as (Window & typeof globalThis) | null;
  if (!page) throw new Error("The frame has no window.");
  // The test runner wraps dynamic imports in a call to its own global, which this frame has not got.
  Reflect.set(page, "__vitest_browser_runner__", { wrapDynamicImport: (load: () => unknown) => load() });
  page.document.addEventListener("securitypolicyviolation", (event) =>
    violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
  );

  await expect.poll(() => Reflect.get(page, "Prose")).toBeDefined();
  const Shown = Reflect.get(page, "Prose") as typeof Prose;
  const host = page.document.createElement("div");
  page.document.body.append(host);
  const view = new Shown(host, { me: "swift-otter", labels });
  view.stream(MESSAGE.slice(0, 200));
  view.set(MESSAGE);
  await expect.poll(() => host.querySelector(".token-keyword")?.textContent).toBe("const");
  host.querySelector("button")?.click();
  expect(host.querySelectorAll("h3, strong, em, del, a, li, input, blockquote, table, figure").length).toBeGreaterThan(
    12,
  );
  expect(violations).toEqual([]);
  // The policy is in force: what it forbids is refused and reported.
  expect(() => {
    host.innerHTML = "<b>x</b>";
  }).toThrow(/TrustedHTML/);
  host.setAttribute("style", "color: red");
  await expect.poll(() => violations.length).toBeGreaterThan(0);
});
