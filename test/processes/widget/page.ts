/** Pages of strangers that embed a room, in a real Chromium, against the real server. */

import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright";
import { CHROMIUM_ARGS, requireChromium, STARTS_WITHIN } from "../../chromium.ts";
import type { Server } from "../server.ts";

/** How long a page may take to become what it has to, ms: as long as other tests wait. */
const PATIENCE = 60_000;

/** The strictest policy under which the widget has to work; `'self'` is the server's origin. */
export const STRICT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html",
].join("; ");

/** A page that a test fulfils has no address of its own, and Chromium would not let it speak to this machine. */
const FULFILLED_ARGS = ["--disable-features=LocalNetworkAccessChecks"];

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: requireChromium(),
    args: [...CHROMIUM_ARGS, ...FULFILLED_ARGS],
    timeout: STARTS_WITHIN,
  });
}

export interface HostPage {
  readonly page: Page;
  /** Everything that a browser counts as a breach of the policy, and every error of a script. */
  readonly complaints: string[];
  /** The addresses of all requests. */
  readonly requests: string[];
}

/** Opens a page of the server's own origin that holds `body`, under `policy`. */
export async function hostPage(
  context: BrowserContext,
  server: Server,
  body: string,
  { policy = STRICT_POLICY, path = "/host-page" }: { policy?: string; path?: string } = {},
): Promise<HostPage> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // That a server is away is what some tests are about; the browser says so by itself.
    const isNetwork = /WebSocket connection|Failed to load resource|ERR_/.test(message.text());
    if (message.type() === "error" && !isNetwork) complaints.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.route(`**${path}`, (route) =>
    route.fulfill({
      contentType: "text/html",
      headers: { "content-security-policy": policy },
      body: `<!doctype html><html lang="en"><title>Host</title><body>${body}
        <script type="module" src="/widget.js"></script></body></html>`,
    }),
  );
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${server.url}${path}`);
  return { page, complaints, requests };
}

export const room = (id: string, attributes = ""): string => `<meet-ai-room room="${id}" ${attributes}></meet-ai-room>`;

/** The texts of all messages in the log. */
export const contents = (page: Page): Promise<string[]> =>
  page.locator("meet-ai-message").locator(".content, .deleted").allInnerTexts();

export const message = (page: Page, text: string): Locator => page.locator("meet-ai-message", { hasText: text });
export const field = (page: Page): Locator => page.locator("meet-ai-room textarea");
const banner = (page: Page): Locator => page.locator("meet-ai-room .banner:not([hidden])");
/** Waits until the banner says `text`; before it may say something else. */
export const bannerSays = (page: Page, text: string): Promise<void> => banner(page).filter({ hasText: text }).waitFor();
/** The line below the field. */
export const noticeSays = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator("meet-ai-room .notice", { hasText: text }).waitFor();

/** Writes and sends as the person at the page. */
export async function say(page: Page, text: string): Promise<void> {
  await field(page).click();
  await field(page).fill(text);
  await field(page).press("Enter");
}
