/** What a log needs once there are messages in it, in one file that follows the script at once. */

export { readPage } from "../stay/page.ts";
export { LogPages } from "../view/log-pages.ts";
export { Quotes } from "../view/quotes.ts";
export { wayToKey } from "./element/way-to-key.ts";
export { Announcer } from "./feed/announcer.ts";
export { rowStyles } from "./log-renderer.styles.ts";
export * from "./prose/index.ts";
