/**
 * People with a browser, each with a profile of their own, before whom nothing may go wrong: a violation of the
 * Content-Security-Policy, an uncaught error or a request to another origin fails the test in which it happens.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright";
import { CHROMIUM_ARGS, requireChromium, STARTS_WITHIN } from "../chromium.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface VisitorOptions {
  theme?: "dark" | "light";
  width?: number;
  height?: number;
  /** They have a finger instead of a mouse. */
  touch?: boolean;
}

export class Visitors {
  readonly #browser: Browser;
  readonly #origin: string;
  readonly #contexts: BrowserContext[] = [];
  readonly #troubles: string[] = [];

  private constructor(browser: Browser, origin: string) {
    this.#browser = browser;
    this.#origin = origin;
  }

  /** Visitors of the server at `origin`, in a browser that is started without some of Playwright's own arguments. */
  static async of(origin: string, ignoreDefaultArgs: string[] = []): Promise<Visitors> {
    const browser = await chromium.launch({
      executablePath: requireChromium(),
      args: CHROMIUM_ARGS,
      timeout: STARTS_WITHIN,
      ignoreDefaultArgs,
    });
    return new Visitors(browser, origin);
  }

  /** A page of somebody new. Its paths are relative to the server. */
  async newcomer({ theme = "dark", width = 1280, height = 800, touch = false }: VisitorOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      baseURL: this.#origin,
      colorScheme: theme,
      viewport: { width, height },
      hasTouch: touch,
      isMobile: touch,
      permissions: ["clipboard-read", "clipboard-write"],
      reducedMotion: "reduce",
    } satisfies BrowserContextOptions);
    context.setDefaultTimeout(60_000);
    this.#contexts.push(context);
    await context.exposeBinding("troubled", (_, trouble: string) => this.#troubles.push(trouble));
    await context.addInitScript(() => {
      const { troubled } = window as unknown as { troubled(trouble: string): void };
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile }) =>
        troubled(`${location.pathname}: ${violatedDirective} forbids ${blockedURI} (${sourceFile})`),
      );
    });
    context.on("weberror", (error) => this.#troubles.push(String(error.error().stack)));
    context.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== this.#origin && protocol.startsWith("http")) this.#troubles.push(`Asked ${request.url()}`);
    });
    return context.newPage();
  }

  /** What went wrong since the last call. Closes all pages. */
  async leave(): Promise<string[]> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    return this.#troubles.splice(0);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** What axe-core finds wrong with the page as it is, one line for each. It looks into shadow roots too. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Not as a script of the page's, which its policy would refuse.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  await laidOut(page);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.html}`));
  });
}

/** What sticks out of the window, or of the dialog that is open, and can't be scrolled to in a part of its own. */
export async function cutOff(page: Page): Promise<string[]> {
  await laidOut(page);
  return page.evaluate(() => {
    const root = document.documentElement;
    const faults = root.scrollWidth > window.innerWidth ? [`the page is ${root.scrollWidth} pixels wide`] : [];
    const scrolls = (element: Element) =>
      element.localName !== "dialog" && element !== document.body && getComputedStyle(element).overflowX !== "visible";
    const isHidden = (element: Element) => getComputedStyle(element).clipPath !== "none" || !element.checkVisibility();
    const visit = (element: Element, limit: number): void => {
      if (isHidden(element)) return;
      const { right, width } = element.getBoundingClientRect();
      if (width > 0 && right > limit + 0.5) faults.push(`${element.outerHTML.slice(0, 120)} ends at ${right}`);
      if (scrolls(element)) return;
      const within = element.localName === "dialog" ? Math.min(limit, right) : limit;
      for (const child of element.children) visit(child, within);
    };
    visit(document.body, window.innerWidth);
    return faults;
  });
}

/** Resolves when the page has its fonts, and scripts have had their turn with a window of another size or theme. */
async function laidOut(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
  });
}

/** CSS px that a finger needs: WCAG 2.5.5. */
const FINGER = 44;

/** What of the page, or of the dialog that is open, is smaller than a finger. Links in a line of text may be. */
export async function tooSmall(page: Page): Promise<string[]> {
  await laidOut(page);
  return page.evaluate((finger) => {
    const place = document.querySelector("dialog[open]") ?? document.body;
    const targets = place.querySelectorAll<HTMLElement>("button, a, input, select, textarea, [role=tab]");
    return [...targets].flatMap((target) => {
      const isInText = getComputedStyle(target).display === "inline";
      if (!target.checkVisibility() || target.matches(".skip-link") || (target.localName === "a" && isInText))
        return [];
      // A box to tick is as large as its words.
      const { width, height } = (target.closest("label") ?? target).getBoundingClientRect();
      return Math.min(width, height) < finger ? [`${target.outerHTML.slice(0, 120)}: ${width} × ${height}`] : [];
    });
  }, FINGER);
}

/** The page's Cumulative Layout Shift so far. */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          const shifts = list.getEntries() as (PerformanceEntry & { value: number })[];
          resolve(shifts.reduce((sum, { value }) => sum + value, 0));
        }).observe({ type: "layout-shift", buffered: true });
        // Without any shift there is no entry to be told of: two frames later it would have been.
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(0))));
      }),
  );
}
