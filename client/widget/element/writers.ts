import type { RoomState } from "../../view/room-state.ts";
import type { Strings } from "../strings/strings.ts";

/** Who else writes just now, as far as it is known only that they do. */
export function writers({ drafts, you }: RoomState, strings: Strings): string {
  const names = new Set(drafts.filter(({ content }) => !content).map(({ sender }) => sender));
  names.delete(you?.sender ?? "");
  return names.size > 0 ? strings.areWriting([...names]) : "";
}
