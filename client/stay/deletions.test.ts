import { describe, expect, test } from "vitest";
import { comeBack, joined, last, YOU } from "./fake-room.ts";
import { message, run, welcome } from "./fake-socket.ts";

describe("deleting", () => {
  test("is done when the room tells it, or says that it was done", async () => {
    const { writer, socket } = joined();
    const [first, again, second] = [writer.delete(2), writer.delete(2), writer.delete(3)];
    expect(socket.sent).toContainEqual({ type: "delete", seq: 2 });
    expect(socket.sent).not.toContainEqual({ type: "delete", seq: 3 });
    socket.deliver({ type: "update", messages: [message(4, { kind: "deletion", target: 2, content: "" })] });
    await Promise.all([first, again]);
    expect(socket.sent.at(-1)).toEqual({ type: "delete", seq: 3 });
    socket.deliver({ type: "ack", id: "delete:3", seq: 5 });
    await second;
  });

  test("refused, it says what was refused, and the next one is asked for", async () => {
    const { writer, socket, events } = joined();
    const [first, second] = [writer.delete(2), writer.delete(3)];
    socket.deliver({ type: "error", code: "forbidden", message: "Not yours." });
    await expect(first).rejects.toMatchObject({ code: "forbidden", about: { type: "delete", seq: 2 } });
    expect(last(events, "error")?.error.about).toEqual({ type: "delete", seq: 2 });
    socket.deliver({ type: "error", code: "not_found", message: "" });
    await expect(second).rejects.toMatchObject({ code: "not_found", about: { type: "delete", seq: 3 } });
  });

  test("done before its signal is aborted, it is done", async () => {
    const { writer, socket } = joined();
    const late = new AbortController();
    const deleted = writer.delete(2, { signal: late.signal });
    socket.deliver({ type: "ack", id: "delete:2", seq: 4 });
    late.abort();
    await deleted;
  });

  test("in a new history of the room it is not asked for: the same seq is another message", async () => {
    const { writer, socket } = joined();
    const sent = writer.delete(1);
    socket.lose();
    const waiting = writer.delete(2);
    socket.open();
    socket.deliver(welcome(run(1, 3), { epoch: "e2", reset: true }));
    socket.deliver(YOU);
    for (const [deleted, seq] of [
      [sent, 1],
      [waiting, 2],
    ] as const) {
      await expect(deleted).rejects.toMatchObject({ code: "not_found", about: { type: "delete", seq } });
    }
    expect(socket.sent.filter(({ type }) => type === "delete")).toEqual([]);
    void writer.delete(3);
    expect(socket.sent.at(-1)).toEqual({ type: "delete", seq: 3 });
  });

  test("without a connection it waits for one", async () => {
    const { writer, socket } = joined();
    const before = writer.delete(1);
    socket.lose();
    const meanwhile = writer.delete(2);
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    socket.deliver({ type: "ack", id: "delete:1", seq: 4 });
    socket.deliver({ type: "ack", id: "delete:2", seq: 5 });
    await Promise.all([before, meanwhile]);
  });

  test.each(["rate_limited", "unavailable"] as const)("%s it waits, and is asked for again", async (code) => {
    const { writer, socket, clock } = joined();
    const asked = () => socket.sent.filter(({ type }) => type === "delete");
    const [first, second] = [writer.delete(2), writer.delete(3)];
    socket.deliver({ type: "error", code, message: "", about: "delete", seq: 2, retryAfter: 12 });
    void writer.delete(1);
    clock.pass(11_999);
    expect(asked()).toEqual([{ type: "delete", seq: 2 }]);
    clock.pass(1);
    expect(asked()).toEqual([
      { type: "delete", seq: 2 },
      { type: "delete", seq: 2 },
    ]);
    socket.deliver({ type: "ack", id: "delete:2", seq: 4 });
    socket.deliver({ type: "ack", id: "delete:3", seq: 5 });
    await Promise.all([first, second]);
  });

  test("held by a quota it goes out in time also when the connection was lost meanwhile", () => {
    const { writer, socket, clock } = joined();
    void writer.delete(2);
    socket.deliver({ type: "error", code: "rate_limited", message: "", about: "delete", seq: 2, retryAfter: 12 });
    comeBack(socket);
    clock.pass(11_999);
    expect(socket.sent).not.toContainEqual({ type: "delete", seq: 2 });
    clock.pass(1);
    expect(socket.sent).toContainEqual({ type: "delete", seq: 2 });
  });

  test("is not what a refusal of something else refuses", async () => {
    const { writer, socket } = joined();
    const deleted = writer.delete(2);
    socket.deliver({ type: "error", code: "invalid", message: "", about: "read" });
    socket.deliver({ type: "error", code: "invalid", message: "", about: "send" });
    socket.deliver({ type: "error", code: "invalid", message: "", about: "draft", id: "d" });
    socket.deliver({ type: "error", code: "not_found", message: "", about: "delete", seq: 7 });
    socket.deliver({ type: "ack", id: "delete:2", seq: 4 });
    await deleted;
  });

  test("a signal ends the wait; what was not asked yet is not asked, unless another waits for it", async () => {
    const { writer, socket } = joined();
    const over = new AbortController();
    const { signal } = over;
    const waits = [writer.delete(1, { signal }), writer.delete(2, { signal }), writer.delete(3, { signal })];
    const stays = writer.delete(3);
    over.abort(new Error("Enough."));
    for (const wait of waits) await expect(wait).rejects.toThrow("Enough.");
    await expect(writer.delete(4, { signal })).rejects.toThrow("Enough.");
    socket.deliver({ type: "ack", id: "delete:1", seq: 4 });
    expect(socket.sent.filter(({ type }) => type === "delete")).toEqual([
      { type: "delete", seq: 1 },
      { type: "delete", seq: 3 },
    ]);
    socket.deliver({ type: "ack", id: "delete:3", seq: 5 });
    await stays;
  });
});
