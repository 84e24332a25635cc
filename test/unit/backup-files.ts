/** Records of a backup's files, and files with them. */

import { line, type MessageRecord } from "../../api/format/records.ts";
import { fileEnd, RoomFileWriter, type RoomIdentity } from "../../api/local/backup/room-file.ts";

/** A message of a room's file. */
export const said = (seq: number, content = `words ${seq}`): MessageRecord => ({
  seq,
  id: `m${seq}`,
  kind: "text",
  sender: "swift-otter",
  content,
  ref: null,
  at: "2026-01-03T10:00:01.000Z",
});

/** Adds a part with these messages to the file `path`, as one run of a backup does. */
export async function addPart(
  path: string,
  identity: RoomIdentity,
  ...records: MessageRecord[]
): Promise<RoomFileWriter> {
  const writer = await RoomFileWriter.open(path, identity, await fileEnd(path));
  await writer.add(records.map((record) => ({ record, bytes: Buffer.from(line(record)) })));
  await writer.endPart();
  await writer.close();
  return writer;
}
