import { describe, expect, test } from "vitest";
import { drafts, GUEST, sends, setUp, YOU } from "../../stay/fake-room.ts";
import { message, run, welcome } from "../../stay/fake-socket.ts";
import type { RoomEvent } from "../../stay/room-event.ts";
import { EMPTY_ROOM, type ReaderEvent, reduceRoom } from "../../view/room-state.ts";
import { strings as en } from "../strings/en.ts";
import { Author } from "./author.ts";
import { notice } from "./notice.ts";

/** Somebody who is known in a room, and how the room looks to them. */
function here() {
  const { connection, socket, clock } = setUp({ credentials: GUEST });
  let state = EMPTY_ROOM;
  const hear = (event: RoomEvent | ReaderEvent) => {
    state = reduceRoom(state, event);
  };
  connection.subscribe(hear);
  const author = new Author(connection, {
    person: undefined,
    hear,
    room: () => state,
    replyTo: () => undefined,
    reply: () => {},
    mayGo: () => true,
    gone: () => {},
    toMessages: () => {},
  });
  socket.open();
  socket.deliver(welcome(run(1, 3)));
  socket.deliver(YOU);
  const said = () => notice(state, en, clock.now());
  return { author, socket, clock, said };
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

describe("that they are muted is said", () => {
  const DAY = 86_400;
  const refuse = ({ author, socket }: ReturnType<typeof here>, retryAfter?: number) => {
    author.submit("Am I heard?");
    const { id } = sends(socket).at(-1) as { id: string };
    const refusal = { code: "muted", message: "You are muted here.", ...(retryAfter && { retryAfter }) } as const;
    socket.deliver({ type: "error", ...refusal, about: "send", id });
  };

  test.each([60, 7 * DAY])("until the mute ends, after %i s", (seconds) => {
    const person = here();
    refuse(person, seconds);
    person.clock.pass(seconds * 1000 - 1);
    expect(person.said()).toBe(en.muted);
    person.clock.pass(1);
    expect(person.said()).toBeUndefined();
  });

  test("by the newest refusal: one may be muted for longer, or for good", () => {
    const person = here();
    refuse(person, 60);
    person.clock.pass(30_000);
    refuse(person, 60);
    person.clock.pass(59_999);
    expect(person.said()).toBe(en.muted);
    refuse(person);
    person.clock.pass(7 * DAY * 1000);
    expect(person.said()).toBe(en.muted);
  });

  test("for weeks, where it is longer than a timer can be", () => {
    const person = here();
    refuse(person, 30 * DAY);
    person.clock.pass(20 * DAY * 1000);
    expect(person.said()).toBe(en.muted);
  });

  test("no more once something of theirs is taken", () => {
    const person = here();
    refuse(person, 60);
    person.author.submit("And now?");
    const { id } = sends(person.socket).at(-1) as { id: string };
    person.socket.deliver({ type: "update", messages: [message(4, { id, sender: YOU.sender })] });
    expect(person.said()).toBeUndefined();
  });

  test("to nobody who has left", () => {
    const person = here();
    const before = person.clock.waiting;
    refuse(person, 60);
    person.author.close();
    expect(person.clock.waiting).toBe(before);
  });
});
