/** Something that the user of a command can mend: the message is one line that says what is wrong and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** What `error` is in one line, where it is a failure or an error of the file system; throws any other error again. */
export function failureLine(error: unknown): string {
  if (error instanceof Failure) return error.message;
  const { code, message, path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? "" : ` (${path})`;
  if (code === "ENOSPC" || code === "EDQUOT")
    return `The disk is full${where}: make room, and run this again to go on.`;
  if (code === "EFBIG") return `The disk takes no file of this size${where}: use another one.`;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return `This may not be read or written${where}.`;
  if (code === "EIO") return `The disk has failed${where}.`;
  if (message.startsWith("D1_ERROR"))
    return `The database refuses it (${message}): mend that, and run this again to go on.`;
  if (typeof code === "string" && message.startsWith(code)) return `${message}.`;
  throw error;
}
