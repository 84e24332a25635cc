import type { RoomEvent } from "../stay/room-event.ts";
import { type LogEvent, reduceLog } from "./log-window.ts";
import { type ReaderEvent, type RoomState, reduceRoom } from "./room-state.ts";

/** Whatever changes what a room looks like to its reader. */
export type ViewEvent = RoomEvent | ReaderEvent | LogEvent;

/** The state after an event. Pure: the same state and event always give the same. */
export const reduce = (state: RoomState, event: ViewEvent): RoomState =>
  isOfLog(event) ? reduceLog(state, event) : reduceRoom(state, event);

const isOfLog = (event: ViewEvent): event is LogEvent => ["page", "quoted", "held", "spared"].includes(event.type);
