/** What a log needs once there are messages in it, in one file that follows the script at once. */

export { lateStyles } from "./late.styles.ts";
export * from "./prose/index.ts";
export { Quotes } from "./room/quotes.ts";
