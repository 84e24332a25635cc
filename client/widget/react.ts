/** `<meet-ai-room>` in JSX, for React 19: import this file's types once. A key is set on the element, through a ref. */

import type { MeetAiRoom } from "./index.ts";

export interface MeetAiRoomAttributes {
  room: string;
  server?: string;
  theme?: MeetAiRoom["theme"];
  readonly?: boolean;
  lang?: string;
  id?: string;
  className?: string;
  slot?: string;
  style?: Record<string, string | number | undefined>;
  children?: unknown;
  ref?: ((element: MeetAiRoom | null) => void) | { current: MeetAiRoom | null } | null;
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "meet-ai-room": MeetAiRoomAttributes;
    }
  }
}
