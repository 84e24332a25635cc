/**
 * The widget's entry: importing it defines `<meet-ai-room>`.
 *
 * @example
 * <script type="module" src="https://meet-ai.cc/widget.js"></script>
 * <meet-ai-room room="lobby"></meet-ai-room>
 */

export {
  MeetAiErrorEvent,
  MeetAiMessageEvent,
  MeetAiPresenceEvent,
  MeetAiSendEvent,
  MeetAiStatusEvent,
} from "./events.ts";
export { MeetAiRoom } from "./room/room.ts";
