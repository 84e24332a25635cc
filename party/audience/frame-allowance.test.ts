import { expect, it } from "vitest";
import { FrameAllowance } from "./frame-allowance.ts";

const NOON = 1_800_000_000_000;

it("is shared by all sockets of a principal, and by nobody else (promise 9)", () => {
  const allowance = new FrameAllowance();
  const spent = Array.from({ length: 1_200 }, () => allowance.spend("address:a", NOON));
  expect(spent.filter(Boolean)).toHaveLength(1_000);
  expect(allowance.spend("key:b", NOON)).toBe(true);
});

it("is never used up by an agent that streams twenty pieces a second, nor by ten of them", () => {
  const allowance = new FrameAllowance();
  const refused: number[] = [];
  for (let ms = 0; ms < 600_000; ms += 50) {
    for (let agent = 0; agent < 10; agent++) if (!allowance.spend("key:b", NOON + ms)) refused.push(ms);
  }
  expect(refused).toEqual([]);
});

it("comes back with time, also after others have come in their thousands", () => {
  const allowance = new FrameAllowance();
  for (let count = 0; count < 1_000; count++) allowance.spend("key:b", NOON);
  for (let other = 0; other < 3_000; other++) allowance.spend(`key:${other}`, NOON);
  expect([allowance.spend("key:b", NOON), allowance.spend("key:b", NOON + 1_000)]).toEqual([false, true]);
});
