import { expect, test } from "vitest";
import { drafts, GUEST, sends, setUp, YOU } from "../../stay/fake-room.ts";
import { run, welcome } from "../../stay/fake-socket.ts";
import { EMPTY_ROOM } from "../../view/room-state.ts";
import { Author } from "./author.ts";

/** Somebody who is known in a room. */
function here() {
  const { connection, socket, clock } = setUp({ credentials: GUEST });
  const author = new Author(connection, {
    isKnown: true,
    key: undefined,
    hear: () => {},
    room: () => EMPTY_ROOM,
    replyTo: () => undefined,
    reply: () => {},
    mayGo: () => true,
    gone: () => {},
    toMessages: () => {},
  });
  socket.open();
  socket.deliver(welcome(run(1, 3)));
  socket.deliver(YOU);
  return { author, socket, clock };
}

test("that they write is said until the field is empty again", () => {
  const { author, socket } = here();
  author.edited("H");
  author.edited("He");
  author.edited("");
  author.edited("");
  const [first, second] = drafts(socket);
  expect(first).toMatchObject({ append: "" });
  expect(second).toEqual({ ...first, end: true });
  expect(drafts(socket)).toHaveLength(2);
});

test("a message takes the place of the sign that it was being written", () => {
  const { author, socket } = here();
  author.edited("Hello");
  expect(author.submit("Hello")).toBe(true);
  const [draft] = drafts(socket);
  expect(drafts(socket)).toHaveLength(1);
  expect(sends(socket)).toEqual([{ type: "send", id: draft?.id, content: "Hello" }]);
  author.edited("");
  expect(drafts(socket)).toHaveLength(1);
});
