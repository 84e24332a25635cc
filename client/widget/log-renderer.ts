/** What a log needs once there are messages in it, in one file that follows the script at once. */

export { Quotes } from "../view/quotes.ts";
export { rowStyles } from "./log-renderer.styles.ts";
export * from "./prose/index.ts";
