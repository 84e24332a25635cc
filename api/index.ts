export { ChatRoom } from "../party/chat-room.ts";
export { Limiter } from "../party/limiter.ts";
export default {};
