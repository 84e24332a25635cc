/** `<meet-ai-room>` in JSX, for React 19: types and nothing else, which one import in a project brings in. */

import type { HTMLAttributes, Ref } from "react";
import type {
  MeetAiAskEvent,
  MeetAiErrorEvent,
  MeetAiKeyEvent,
  MeetAiMessageEvent,
  MeetAiPresenceEvent,
  MeetAiRoom,
  MeetAiSendEvent,
  MeetAiStatusEvent,
  MeetAiUnreadEvent,
} from "./index.ts";

/**
 * What the element takes in JSX. Not `key`: React keeps that for itself, and a person's key set there would be lost. It is
 * set on the element, through `ref`.
 */
export interface MeetAiRoomAttributes extends HTMLAttributes<MeetAiRoom> {
  room: string;
  server?: string | undefined;
  theme?: MeetAiRoom["theme"] | undefined;
  getToken?: MeetAiRoom["getToken"];
  invite?: string | undefined;
  strings?: MeetAiRoom["strings"];
  readonly?: boolean | undefined;
  ref?: Ref<MeetAiRoom> | undefined;
  "onmeet-ai-message"?: ((event: MeetAiMessageEvent) => void) | undefined;
  "onmeet-ai-send"?: ((event: MeetAiSendEvent) => void) | undefined;
  "onmeet-ai-status"?: ((event: MeetAiStatusEvent) => void) | undefined;
  "onmeet-ai-presence"?: ((event: MeetAiPresenceEvent) => void) | undefined;
  "onmeet-ai-unread"?: ((event: MeetAiUnreadEvent) => void) | undefined;
  "onmeet-ai-ask"?: ((event: MeetAiAskEvent) => void) | undefined;
  "onmeet-ai-error"?: ((event: MeetAiErrorEvent) => void) | undefined;
  "onmeet-ai-key"?: ((event: MeetAiKeyEvent) => void) | undefined;
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "meet-ai-room": MeetAiRoomAttributes;
    }
  }
}
