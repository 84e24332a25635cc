/**
 * Loaded before a command that is to die (`node --import`): as soon as what it has printed matches `DIES_AT`, it is killed from
 * outside, wherever it is by then. It waits for that before it prints anything more: on a busy machine it would be done before.
 */

import { spawn } from "node:child_process";

const pattern = new RegExp(process.env.DIES_AT ?? "");
const print = process.stdout.write.bind(process.stdout) as (...what: unknown[]) => boolean;
let printed = "";
let isDying = false;

process.stdout.write = (text: unknown, ...more: unknown[]): boolean => {
  if (isDying) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  printed += String(text);
  isDying = pattern.test(printed);
  if (isDying) spawn("kill", ["-KILL", String(process.pid)], { stdio: "ignore" });
  return print(text, ...more);
};
