/** Something that the user of a command can mend: the message is one line that says what is wrong and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Result codes of SQLite, as an error of Node's has them. */
const SQLITE = { busy: 5, readOnly: 8, io: 10, full: 13 };

/** What `error` is in one line, where it is a failure or an error of the file system or of SQLite; throws any other error again. */
export function failureLine(error: unknown): string {
  if (error instanceof Failure) return error.message;
  const { code, message, path, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const where = path === undefined ? "" : ` (${path})`;
  if (code === "ENOSPC" || code === "EDQUOT" || errcode === SQLITE.full)
    return `The disk is full${where}: make room, and run this again to go on.`;
  if (code === "EFBIG") return `The disk takes no file of this size${where}: use another one.`;
  if (errcode === SQLITE.busy) return "Another process has locked the database: stop it, and run this again.";
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || errcode === SQLITE.readOnly)
    return `This may not be read or written${where}.`;
  if (errcode !== undefined && (errcode & 0xff) === SQLITE.io)
    return "The disk has failed, or takes no file of this size: mend that, and run this again to go on.";
  if (code === "EIO") return `The disk has failed${where}.`;
  if (message.startsWith("D1_ERROR"))
    return `The database refuses it (${message}): mend that, and run this again to go on.`;
  if (typeof code === "string" && message.startsWith(code)) return `${message}.`;
  throw error;
}
