/** What a log needs once there are messages in it, in one file that follows the script at once. */

export { headersOf } from "../stay/page.ts";
export { below } from "./ask/below.ts";
export { mayAnswer } from "./ask/may-answer.ts";
export { duration } from "./duration.ts";
export { barred } from "./element/barred.ts";
export { renderPreview } from "./element/preview.ts";
export { watching } from "./element/watching.ts";
export { wayToKey } from "./element/way-to-key.ts";
export { writers } from "./element/writers.ts";
export { Announcer } from "./feed/announcer.ts";
export { onFeedKey } from "./feed/feed-keys.ts";
export { newestInView } from "./feed/opening.ts";
export { pill } from "./feed/pill.ts";
export { LogReader } from "./log-reader.ts";
export { rowStyles } from "./log-renderer.styles.ts";
export { tools } from "./message/open-tools.ts";
export { firstLine, quote } from "./message/quote.ts";
export { badge, nameOf } from "./message/sender-name.ts";
export * from "./prose/index.ts";
