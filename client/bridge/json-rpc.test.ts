import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { JsonRpc } from "./json-rpc.ts";

/** The client's side of a pair of pipes; `say` is what the agent writes. */
function client() {
  const input = new PassThrough();
  const output = new PassThrough();
  const onBroken = vi.fn();
  const rpc = new JsonRpc(input, output, { onRequest: async () => ({}), onNotification: () => {} });
  rpc.onBroken = onBroken;
  return { rpc, onBroken, say: (line: string) => input.write(`${line}\n`) };
}

const answer = (id: number) => JSON.stringify({ jsonrpc: "2.0", id, result: { id } });

it("an agent that writes a word of its own with each answer may do so for ever", async () => {
  const { rpc, onBroken, say } = client();
  for (let id = 1; id <= 100; id++) {
    const answered = rpc.request("session/prompt", {});
    say("Thinking …");
    say(answer(id));
    expect(await answered).toEqual({ id });
  }
  expect(onBroken).not.toHaveBeenCalled();
});

it("one that writes nothing else does not speak ACP", async () => {
  const { rpc, onBroken, say } = client();
  const answered = rpc.request("initialize", {});
  for (let line = 0; line <= 20; line++) say(`Welcome! ${line}`);
  await expect(answered).rejects.toMatchObject({ name: "AgentFailure", details: 'It has written "Welcome! 20".' });
  expect(onBroken).toHaveBeenCalledOnce();
});
