import { expect, test } from "vitest";
import { browserStorage, memoryStorage } from "./storage.ts";

/** What a browser has, with room for as many texts as a test says. */
function fakeBrowser() {
  const kept = new Map<string, string>();
  const browser = {
    isFull: false,
    isOff: false,
    getItem: (name: string) => {
      if (browser.isOff) throw new DOMException("", "SecurityError");
      return kept.get(name) ?? null;
    },
    setItem: (name: string, value: string) => {
      if (browser.isFull || browser.isOff) throw new DOMException("", "QuotaExceededError");
      kept.set(name, value);
    },
    removeItem: (name: string) => {
      if (browser.isOff) throw new DOMException("", "SecurityError");
      kept.delete(name);
    },
  };
  return { browser, storage: browserStorage(() => browser as unknown as Storage) };
}

test("memory keeps and forgets", () => {
  const storage = memoryStorage();
  storage.set("a", "1");
  expect(storage.get("a")).toBe("1");
  storage.set("a", "");
  expect(storage.get("a")).toBeUndefined();
});

test("a full storage does not give back what was replaced", () => {
  const { browser, storage } = fakeBrowser();
  storage.set("text", "old");
  browser.isFull = true;
  storage.set("text", "new");
  expect(storage.get("text")).toBe("new");
  browser.isFull = false;
  storage.set("text", "newest");
  expect([storage.get("text"), browser.getItem("text")]).toEqual(["newest", "newest"]);
});

test("what could not be forgotten does not come back", () => {
  const { browser, storage } = fakeBrowser();
  storage.set("text", "sent long ago");
  browser.isOff = true;
  storage.set("text", "");
  browser.isOff = false;
  expect(storage.get("text")).toBeUndefined();
});

test("another tab's newer value is seen", () => {
  const { browser, storage } = fakeBrowser();
  storage.set("read", "3");
  browser.setItem("read", "7");
  expect(storage.get("read")).toBe("7");
});
