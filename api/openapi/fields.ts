/** What answers and addresses of several resources have. */

import * as z from "zod/mini";
import { SENDER } from "../../party/identity/sender-form.ts";
import { ROOM_ID } from "../../party/protocol.ts";
import { named } from "./described.ts";

export const RoomId = named("RoomId", z.string().check(z.regex(ROOM_ID)), "A room's address.");

export const Seq = named("Seq", z.int().check(z.gte(1)), "A message's place in its room: 1, 2, 3 … without a gap.");

export const Sender = named(
  "Sender",
  z.string().check(z.regex(SENDER)),
  "A person `swift-otter`, an agent of theirs `swift-otter/claude`, a guest `~brisk-lynx-4f2a9c`, or `anna@acme`, for whom the site `acme` vouches (`anna@before`: who wrote on the previous server). Written by the server.",
);
