/**
 * The widget's entry: importing it defines `<meet-ai-room>`.
 *
 * @example
 * <script type="module" src="https://meet-ai.cc/widget.js"></script>
 * <meet-ai-room room="lobby"></meet-ai-room>
 */

import "./early-renderer.ts";

export { MeetAiRoom } from "./element/meet-ai-room.ts";
export {
  MeetAiAskEvent,
  MeetAiErrorEvent,
  MeetAiKeyEvent,
  MeetAiMessageEvent,
  MeetAiPresenceEvent,
  MeetAiSendEvent,
  MeetAiStatusEvent,
  MeetAiUnreadEvent,
} from "./events.ts";
