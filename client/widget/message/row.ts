/** What a row of the log shows. */

import type { Message } from "../../../party/protocol.ts";
import type { PendingMessage } from "../../stay/outbox.ts";

/** How a message stands in the log. */
type RowState = "kept" | "draft" | "waiting" | PendingMessage["state"];

/** What a row shows. Replaced as a whole, so that an unchanged row costs one comparison. */
export interface Row {
  readonly key: string;
  /** A message, or what is known of one that is not kept yet; its `seq` is 0 then. */
  readonly message: Message;
  readonly state: RowState;
  /** The first of a run by one sender: it shows who and when. */
  readonly leads: boolean;
  /** What it answers: the message, or `"earlier"` as long as it was not read. */
  readonly answers: Message | "earlier" | undefined;
  /** Of a held message: seconds until it goes out. */
  readonly heldFor: number;
  readonly own: boolean;
  /** What a site calls its user. */
  readonly name: string | undefined;
  /** The same of whom it answers. */
  readonly answeredName: string | undefined;
  readonly deletable: boolean;
  /** The reader may mute its sender. */
  readonly mutable: boolean;
  /** The reader can write, and so answer it or send it again. */
  readonly canWrite: boolean;
}

/** Whether two rows, or two of anything that is made of parts, show the same. */
export const sameParts = <Parts extends object>(a: Parts, b?: Parts): boolean =>
  !!b && (Object.keys(a) as (keyof Parts)[]).every((part) => a[part] === b[part]);
