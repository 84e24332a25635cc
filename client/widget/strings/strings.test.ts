/** Every language says everything, by its own rules; which one is shown is the element's matter. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { RoomError } from "../../stay/room-error.ts";
import { EMPTY_ROOM, type RoomState } from "../../view/room-state.ts";
import { cardWords } from "../ask/card-words.en.ts";
import { askWords } from "../ask/words.en.ts";
import { hint, keys, touchHint } from "../composer/keys.en.ts";
import { notice } from "../composer/notice.ts";
import { membersWords } from "../element/members.en.ts";
import { wordsOf } from "../moderation/words.en.ts";
import { hearingWords } from "../people/hearing.en.ts";
import { dayName } from "../time.ts";
import { strings as ar } from "./ar.ts";
import { strings as de } from "./de.ts";
import { strings as en } from "./en.ts";
import { loadStrings, type Strings } from "./strings.ts";
import { Texts } from "./texts.ts";

afterEach(() => void vi.useRealTimers());

test.each([
  ["de-AT", de],
  ["AR", ar],
  ["en-GB", en],
  ["tlh", en],
  ["", en],
])("%j is shown in the language that it names, or in English", async (tag, strings) => {
  expect(await loadStrings(tag)).toBe(strings);
});

test("of two languages the one that was asked for last is shown, whichever comes first", async () => {
  const texts = new Texts(() => {});
  const element = document.createElement("div");
  element.lang = "de";
  const german = texts.follow(element);
  // English is here, so it comes first.
  element.lang = "en";
  await texts.follow(element);
  await german;
  expect(texts.current).toEqual(en);
});

describe.each(Object.entries({ de, ar }))("%s", (_, strings) => {
  test("has a text of its own for everything, of the same kind as in English", () => {
    const same: string[] = [];
    const compare = (here: object, there: object, path: string) => {
      expect(Object.keys(here).sort(), path).toEqual(Object.keys(there).sort());
      for (const [name, text] of Object.entries(here)) {
        const english = (there as Record<string, unknown>)[name];
        expect(typeof text, `${path}${name}`).toBe(typeof english);
        if (name === "refusals") continue;
        if (typeof text === "object") compare(text, english as object, `${path}${name}.`);
        else if (text === english) same.push(`${path}${name}`);
      }
    };
    // What English has where it is told.
    compare(
      strings,
      {
        ...en,
        composeHint: hint,
        composeTouchHint: touchHint,
        keys,
        members: membersWords(en),
        hearing: hearingWords,
        // The server says it itself.
        unheard: () => "",
        moderation: wordsOf(en),
        ask: { ...askWords(en), ...cardWords(en) },
      },
      "",
    );
    // Words that are the same in both, and the keys themselves.
    expect(
      same.filter((name) => !/^(direction|control|agent|status\.(open|offline)|keys\.\d+\.0)$/.test(name)),
    ).toEqual([]);
  });
});

test.each([
  [en, ["1 new message", "2 new messages", "11 new messages"]],
  [de, ["1 neue Nachricht", "2 neue Nachrichten", "11 neue Nachrichten"]],
  [ar, ["رسالة جديدة", "رسالتان جديدتان", "11 رسالة جديدة"]],
])("numbers have the form that the language gives them ($language)", (strings, texts) => {
  expect([1, 2, 11].map(strings.newMessages)).toEqual(texts);
});

test.each([
  ["en", ["Today", "Yesterday", "Monday, November 23, 2026"]],
  ["de", ["Heute", "Gestern", "Montag, 23. November 2026"]],
  ["ar", ["اليوم", "أمس", "الاثنين، 23 نوفمبر 2026"]],
  ["fr", ["Aujourd’hui", "Hier", "lundi 23 novembre 2026"]],
])("days are called as in %s", (language, names) => {
  const now = new Date(2026, 10, 25, 12);
  const days = [25, 24, 23].map((day) => dayName(new Date(2026, 10, day, 9).toISOString(), language, now));
  expect(days.map((name) => name.replace("٢٣", "23").replace("٢٠٢٦", "2026"))).toEqual(names);
});

describe("a refusal is told in the reader's language", () => {
  const refused = (code: RoomError["code"]): RoomState => ({
    ...EMPTY_ROOM,
    pending: [
      { id: "a", content: "x", since: 0, state: "failed", error: new RoomError(code, "The server's own English.") },
    ],
  });

  test.each([
    ["invalid", de.notTaken, ar.notTaken],
    ["too_large", de.refusals.too_large, ar.refusals.too_large],
    ["forbidden", de.refusals.forbidden, ar.refusals.forbidden],
    ["loop_guard", de.refusals.loop_guard, ar.refusals.loop_guard],
    ["unauthorized", de.refusals.unauthorized, ar.refusals.unauthorized],
    ["not_found", de.refusals.not_found, ar.refusals.not_found],
    ["conflict", de.refusals.conflict, ar.refusals.conflict],
  ] as const)("%s", (code, german, arabic) => {
    expect(notice(refused(code), de, 0)).toBe(german);
    expect(notice(refused(code), ar, 0)).toBe(arabic);
    expect(notice(refused(code), en, 0)).toBe("The server's own English.");
  });

  test.each(["muted", "read_only"] as const)(
    "%s, but not of an earlier message, which the room may take by now",
    (code) => {
      expect(notice(refused(code), en, 0)).toBeUndefined();
    },
  );

  test("muted and read-only too, and over quota for how long", () => {
    const state = (more: Partial<RoomState>): RoomState => ({ ...EMPTY_ROOM, ...more });
    const error = (code: RoomError["code"]) => new RoomError(code, "The server's own English.");
    expect(notice(state({ refusal: error("muted") }), de, 0)).toBe(de.muted);
    expect(notice(state({ refusal: error("read_only") }), de, 0)).toBe(de.readOnlyGuests);
    expect(notice(state({ heldUntil: 5_000 }), de, 0)).toBe((de as Strings).overQuota(5));
  });

  test("but no key would help where the operator has closed the room", () => {
    const room = { closed: true } as RoomState["room"];
    const refusal = new RoomError("read_only", "The server's own English.");
    expect(notice({ ...EMPTY_ROOM, room, refusal }, en, 0)).toBeUndefined();
  });
});
