/** The error of a log that is used after its room was closed or wiped: a late caller must not write into the next room. */
export class Closed extends Error {
  override readonly name = "Closed";

  constructor() {
    super("This part of the room is closed.");
  }
}
