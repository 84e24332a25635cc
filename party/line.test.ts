import { describe, expect, it } from "vitest";
import { parseLine, parseVisibleLine } from "./line.ts";

const line = (text: unknown) => parseLine(text, "name", 80);

describe("a line", () => {
  it.each([
    ["Arabic", "غرفة القراءة"],
    ["Arabic with vowels and shadda", "مُدَرِّسَةٌ"],
    ["Arabic with the mark that languages are written with", "عربي C++\u200f"],
    ["Persian, with its non-joiner", "می\u200cخواهم"],
    ["Hebrew", "חדר קריאה"],
    ["Hebrew with vowels and accents", "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים"],
    ["Hebrew with five marks on one letter", "\u05e9\u05c1\u05bc\u05b8\u05bd\u0596\u05dd"],
    ["both directions", "Room 7 – חדר 7"],
    ["Hindi", "क्षत्रिय कक्ष"],
    ["Tamil", "கூடம்"],
    ["Malayalam conjuncts", "ശ്രീനാരായണ ഗുരു"],
    ["Bengali", "বিশ্ববিদ্যালয়"],
    ["Tibetan stacks", "བསྒྲུབས་ཨོཾ་ཧཱུྃ"],
    ["Thai", "ห้องนั่งเล่นที่น่าอยู่"],
    ["Burmese", "မြန်မာဘာသာ"],
    ["Vietnamese, decomposed", "Phòng đọc tiếng Việt".normalize("NFD")],
    ["Korean, decomposed", "독서실".normalize("NFD")],
    ["a family of emoji", "👨‍👩‍👧‍👦 at home"],
    ["a couple with a heart", "👩‍❤️‍💋‍👨"],
    ["a waving hand of a colour", "👋🏽"],
    ["a flag with tags", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"],
    ["keycaps", "1️⃣2️⃣3️⃣"],
  ])("keeps %s as it is", (_, text) => {
    expect(line(text)).toBe(text);
  });

  it.each([
    ["an override", "invoice\u202egnp.exe", "invoicegnp.exe"],
    ["an isolate without an end", "\u2067Lobby", "Lobby"],
    ["embeddings", "\u202aa\u202bb\u202cc\u202dd", "abcd"],
    ["nothing else", "\u202e \u2066\u2069 ", ""],
  ])("loses bidi controls: %s", (_, text, kept) => {
    expect(line(text)).toBe(kept);
  });

  it.each([
    ["above", `Z${"\u0351".repeat(20)}algo`],
    ["with format characters between them", `Z${"\u0351\u200d".repeat(7)}`],
    ["enclosing", `Z${"\u20dd".repeat(7)}`],
    ["without a letter", "\u0351".repeat(7)],
    ["that only an override parts", `Z${"\u0351\u202e".repeat(7)}`],
  ])("is refused for a flood of combining marks %s", (_, text) => {
    expect(line(text)).toEqual({ fault: "invalid", message: "name has more than 6 combining marks on one character." });
  });

  it("is counted in characters after it was cleaned", () => {
    expect(line(`\u202e${"🐻".repeat(80)}  `)).toBe("🐻".repeat(80));
    expect(line("x".repeat(81))).toEqual({ fault: "too_large", message: "name is longer than 80 characters." });
  });

  it("is a string, and on one line", () => {
    expect(line(7)).toEqual({ fault: "invalid", message: "name must be a string." });
    expect(line("a\r\nb\u2028c\td")).toBe("a b c d");
  });

  it("may be asked to show something", () => {
    for (const empty of ["", " ", "\u200d", "\u202e", "\u0351", "\u3164"]) {
      expect(parseVisibleLine(empty, "name", 80)).toEqual({ fault: "invalid", message: "name is empty." });
    }
    expect(parseVisibleLine("a", "name", 80)).toBe("a");
    expect(parseVisibleLine(7, "name", 80)).toEqual({ fault: "invalid", message: "name must be a string." });
  });
});
