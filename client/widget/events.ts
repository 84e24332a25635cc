/**
 * What the widget tells the page. Every event bubbles, leaves the shadow root, says in its class what it carries, and can
 * be cancelled: `preventDefault()` keeps the widget from what it would do next, if it would do anything.
 */

import type { Message } from "../../party/protocol.ts";
import type { RoomError } from "../stay/room-error.ts";
import type { Status } from "../stay/room-event.ts";

abstract class WidgetEvent<Detail> extends CustomEvent<Detail> {
  /** Each class names its type. */
  constructor(detail: Detail) {
    super((new.target as unknown as { readonly type: string }).type, {
      detail,
      bubbles: true,
      composed: true,
      cancelable: true,
    });
  }
}

/** A message has come, live or as part of what stood there. `preventDefault()` keeps it from being read out. */
export class MeetAiMessageEvent extends WidgetEvent<{ message: Message; history: boolean }> {
  static readonly type = "meet-ai-message";
}

/** The person sends. `preventDefault()` keeps the message from being sent. */
export class MeetAiSendEvent extends WidgetEvent<{ content: string; replyTo: number | undefined }> {
  static readonly type = "meet-ai-send";
}

/** The connection has changed. `code` is the close code, if there was one. Nothing follows that could be prevented. */
export class MeetAiStatusEvent extends WidgetEvent<{ status: Status; code: number | undefined }> {
  static readonly type = "meet-ai-status";
}

/** Who is here has changed. Nothing follows that could be prevented. */
export class MeetAiPresenceEvent extends WidgetEvent<{ people: readonly string[]; spectators: number }> {
  static readonly type = "meet-ai-presence";
}

/**
 * The room has refused something. `id` is the message's, if it was about one. `preventDefault()` keeps the reason from
 * being read out; it is shown all the same.
 */
export class MeetAiErrorEvent extends WidgetEvent<{ error: RoomError; id: string | undefined }> {
  static readonly type = "meet-ai-error";
}

/** The person asks for a key, where guests only read. `preventDefault()` keeps the room's own page from being opened. */
export class MeetAiKeyEvent extends WidgetEvent<undefined> {
  static readonly type = "meet-ai-key";
}

/** `unread` messages have come since the reader last saw the newest one. Nothing follows that could be prevented. */
export class MeetAiUnreadEvent extends WidgetEvent<{ unread: number }> {
  static readonly type = "meet-ai-unread";
}

/** So many open asks wait for an answer of the person here. Nothing follows that could be prevented. */
export class MeetAiAskEvent extends WidgetEvent<{ wanted: number }> {
  static readonly type = "meet-ai-ask";
}

declare global {
  interface HTMLElementEventMap {
    "meet-ai-message": MeetAiMessageEvent;
    "meet-ai-send": MeetAiSendEvent;
    "meet-ai-status": MeetAiStatusEvent;
    "meet-ai-presence": MeetAiPresenceEvent;
    "meet-ai-error": MeetAiErrorEvent;
    "meet-ai-key": MeetAiKeyEvent;
    "meet-ai-unread": MeetAiUnreadEvent;
    "meet-ai-ask": MeetAiAskEvent;
  }
}
