import { expect, it } from "vitest";
import { AddressTags } from "./address-tag.ts";
import { OTHER_WORKERS } from "./key-directory.ts";
import { guestSender } from "./sender.ts";

const HOME = "192.0.2.1";

it("gives an address one tag in a room of a deployment, and another one everywhere else", async () => {
  const tag = await new AddressTags("den").of(HOME, "pepper");
  expect(tag).toMatch(/^[0-9a-f]{24}$/);
  expect(await new AddressTags("den").of(HOME, "pepper")).toBe(tag);
  for (const [room, address, pepper] of [
    ["attic", HOME, "pepper"],
    ["den", "192.0.2.2", "pepper"],
    ["den", HOME, "salt"],
  ] as const) {
    expect(await new AddressTags(room).of(address, pepper)).not.toBe(tag);
  }
});

it("gives none where the address says nothing of who is behind it", async () => {
  for (const address of ["unknown", OTHER_WORKERS]) {
    expect(await new AddressTags("den").of(address, "pepper")).toBeUndefined();
  }
});

it("is not what a guest's name is made of, whatever secret a guest has", async () => {
  const tag = (await new AddressTags("den").of(HOME, "pepper")) as string;
  expect(await guestSender(`address\nden\n${HOME}`, "pepper")).not.toContain(tag.slice(0, 6));
});
