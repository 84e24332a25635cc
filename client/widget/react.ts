/** `<meet-ai-room>` in JSX, for React 19: types and nothing else, which one import in a project brings in. */

import type { HTMLAttributes, Ref } from "react";
import type { MeetAiRoom } from "./index.ts";

/**
 * What the element takes in JSX. Not `key`: React keeps that for itself, and a person's key set there would be lost. It is
 * set on the element, through `ref`.
 */
export interface MeetAiRoomAttributes extends HTMLAttributes<MeetAiRoom> {
  room: string;
  server?: string | undefined;
  theme?: MeetAiRoom["theme"] | undefined;
  readonly?: boolean | undefined;
  ref?: Ref<MeetAiRoom> | undefined;
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "meet-ai-room": MeetAiRoomAttributes;
    }
  }
}
