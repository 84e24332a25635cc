import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClientFrame } from "./frame-parser.ts";
import { parseAgentName, RESERVED_NAMES } from "./identity/agent-name.ts";
import {
  cleanText,
  exceedsBytes,
  isVisible,
  parseContent,
  parseMessageId,
  parseSend,
  parseSeq,
  utf8Length,
} from "./message-parser.ts";
import {
  ERROR_STATUS,
  errorFrame,
  FINAL_CLOSE_CODES,
  FLOW,
  fault,
  HEARTBEAT,
  isFault,
  isKey,
  isRoomId,
  LIMITS,
  SILENCE,
} from "./protocol.ts";

const KEY = `mai_${"a".repeat(24)}`;
const SECRET = "s".repeat(22);

describe("a frame that is good", () => {
  it.each([
    [{ type: "hello", key: KEY }],
    [{ type: "hello", key: KEY, as: "claude" }],
    [{ type: "hello", guest: SECRET }],
    [{ type: "send", id: "a", content: "Hello" }],
    [{ type: "send", id: "A_-9", content: "Hello", replyTo: 1 }],
    [{ type: "draft", id: "a", append: "" }],
    [{ type: "draft", id: "a", append: " and so on " }],
    [{ type: "delete", seq: 1 }],
    [{ type: "read", n: 12 }],
  ])("is taken as it is: %j", (frame) => {
    expect(parseClientFrame(JSON.stringify(frame))).toEqual(frame);
  });

  it("loses what the protocol does not know, so that later clients may say more", () => {
    const frame = { type: "send", id: "a", content: "Hello", sender: "swift-otter", seq: 9, color: "red" };
    expect(parseClientFrame(JSON.stringify(frame))).toEqual({ type: "send", id: "a", content: "Hello" });
  });

  it("takes null for a thing left out", () => {
    expect(parseClientFrame(JSON.stringify({ type: "hello", key: KEY, as: null }))).toEqual({
      type: "hello",
      key: KEY,
    });
    const send = { type: "send", id: "a", content: "b", replyTo: null };
    expect(parseClientFrame(JSON.stringify(send))).toEqual({ type: "send", id: "a", content: "b" });
  });
});

describe("a frame that is bad (promise 9)", () => {
  it.each([
    ["", "invalid"],
    ["ping ", "invalid"],
    ["{", "invalid"],
    ["null", "invalid"],
    ["7", "invalid"],
    ['"send"', "invalid"],
    ['[{"type":"send"}]', "invalid"],
    ["{}", "invalid"],
    ['{"type":"toString"}', "invalid"],
    ['{"type":"__proto__"}', "invalid"],
    ['{"type":["send"]}', "invalid"],
    ['{"type":"SEND","id":"a","content":"b"}', "invalid"],
    ['{"type":"hello"}', "invalid"],
    ['{"type":"hello","key":7}', "invalid"],
    ['{"type":"hello","key":"mai_short"}', "unauthorized"],
    [`{"type":"hello","key":"${KEY}","guest":"${SECRET}"}`, "invalid"],
    [`{"type":"hello","key":"${KEY}","as":"Claude"}`, "invalid"],
    [`{"type":"hello","guest":"${SECRET}","as":"claude"}`, "invalid"],
    [`{"type":"hello","guest":"${"s".repeat(21)}"}`, "invalid"],
    [`{"type":"hello","guest":"${"s".repeat(129)}"}`, "invalid"],
    [`{"type":"hello","guest":"${"s".repeat(21)} "}`, "invalid"],
    ['{"type":"send","content":"b"}', "invalid"],
    ['{"type":"send","id":"a"}', "invalid"],
    ['{"type":"send","id":"","content":"b"}', "invalid"],
    ['{"type":"send","id":"a b","content":"b"}', "invalid"],
    ['{"type":"send","id":"a","content":" \\n\\t\\u0000 "}', "invalid"],
    ['{"type":"send","id":"a","content":["b"]}', "invalid"],
    ['{"type":"send","id":"a","content":"b","replyTo":0}', "invalid"],
    ['{"type":"send","id":"a","content":"b","replyTo":1.5}', "invalid"],
    ['{"type":"send","id":"a","content":"b","replyTo":"1"}', "invalid"],
    [`{"type":"send","id":"a","content":"${"x".repeat(LIMITS.contentBytes + 1)}"}`, "too_large"],
    ['{"type":"draft","id":"a"}', "invalid"],
    ['{"type":"draft","append":"x"}', "invalid"],
    ['{"type":"delete"}', "invalid"],
    ['{"type":"delete","seq":-1}', "invalid"],
    ['{"type":"delete","seq":9007199254740993}', "invalid"],
    ['{"type":"read"}', "invalid"],
    ['{"type":"read","n":"1"}', "invalid"],
  ])("%.60s is %s", (text, code) => {
    expect(parseClientFrame(text)).toMatchObject({ fault: code });
  });

  it("is refused under the id that it has, where it has a good one", () => {
    expect(parseClientFrame('{"type":"send","id":"a","content":""}')).toMatchObject({ fault: "invalid", id: "a" });
    expect(parseClientFrame('{"type":"send","id":"a b","content":"x"}')).not.toHaveProperty("id");
    expect(parseClientFrame('{"type":"draft","id":"a","append":1}')).toMatchObject({ id: "a" });
  });

  it("never makes the parser throw, and nothing but a known frame comes out", () => {
    const types = ["hello", "send", "draft", "delete", "read", "constructor"];
    const member = fc.oneof(fc.jsonValue(), fc.constantFrom(...types, KEY, SECRET, "a", 1));
    const record = fc.dictionary(
      fc.constantFrom("type", "id", "content", "key", "guest", "as", "append", "seq", "n", "replyTo", "__proto__"),
      member,
    );
    const frame = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      record.map((value) => JSON.stringify(value)),
      fc.tuple(fc.constantFrom(...types), record).map(([type, value]) => JSON.stringify({ ...value, type })),
    );
    fc.assert(
      fc.property(frame, (text) => {
        const parsed = parseClientFrame(text);
        if (isFault(parsed)) expect(Object.keys(ERROR_STATUS)).toContain(parsed.fault);
        else expect(types.slice(0, 5)).toContain(parsed.type);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("content", () => {
  it("may be as long as the limit in bytes of UTF-8, and not a byte longer", () => {
    const longest = "ä".repeat(LIMITS.contentBytes / 2);
    expect(parseContent(longest)).toBe(longest);
    expect(parseContent(`${longest}x`)).toMatchObject({ fault: "too_large" });
    expect(parseContent("x".repeat(LIMITS.contentBytes))).toHaveLength(LIMITS.contentBytes);
  });

  it.each([
    ["", false],
    [" \n\t", false],
    ["\u200b\u200d\ufeff\u2060", false],
    ["\u202e\u00ad", false],
    ["\u0301", false],
    ["\u3164\u115f\u1160\uffa0\u2800", false],
    ["\u{e0041}", false],
    [".", true],
    ["\u200b.", true],
    ["👩‍💻", true],
    ["你", true],
  ])("%j can be seen: %s", (text, visible) => {
    expect(isVisible(text)).toBe(visible);
    expect(typeof parseContent(text) === "string").toBe(visible);
  });

  it("is measured after trimming", () => {
    expect(parseContent(`  ${"x".repeat(LIMITS.contentBytes)}\n`)).toHaveLength(LIMITS.contentBytes);
  });

  it.each([
    ["\u0000a\u0007b\u001b[31m\u007f\u0085c", "ab[31mc"],
    ["a\tb\nc", "a\tb\nc"],
    ["a\r\nb\rc", "a\nb\nc"],
    ["  a  ", "a"],
    ["\ud800a", "\ufffda"],
    ["👩‍💻 déjà", "👩‍💻 déjà"],
  ])("%j is kept as %j", (given, kept) => {
    expect(parseContent(given)).toBe(kept);
  });

  it("is well-formed, trimmed and free of control characters, whatever is given, and cleaning it twice changes nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const kept = cleanText(text);
        expect(kept.isWellFormed()).toBe(true);
        expect(kept).toBe(kept.trim());
        expect(kept).not.toMatch(/[^\P{Cc}\t\n]/u);
        expect(cleanText(kept)).toBe(kept);
      }),
    );
  });

  it("keeps a draft's spaces, which count, and drops the same characters", () => {
    const frame = { type: "draft", id: "a", append: " a\r\n\u0000 " };
    expect(parseClientFrame(JSON.stringify(frame))).toEqual({ type: "draft", id: "a", append: " a\n " });
  });
});

describe("names and numbers", () => {
  it.each([["a"], ["A-Z_09"], ["x".repeat(LIMITS.idLength)]])("takes the id %.20s", (id) => {
    expect(parseMessageId(id)).toBe(id);
  });

  it.each([[""], ["x".repeat(LIMITS.idLength + 1)], ["a:b"], ["ä"], ["a\n"], [7], [undefined]])(
    "refuses the id %j",
    (id) => {
      expect(parseMessageId(id)).toMatchObject({ fault: "invalid" });
    },
  );

  it.each([["a"], ["claude"], ["gpt-6"], ["9-lives"], ["ai-1"], ["ai1"], ["m0d3l"], ["h-al"], ["x".repeat(32)]])(
    "takes the agent %s",
    (name) => {
      expect(parseAgentName(name)).toBe(name);
    },
  );

  const refused: unknown[] = [
    "",
    "-a",
    "Claude",
    "a/b",
    "~a",
    "a b",
    "x".repeat(33),
    "clаude",
    null,
    ...RESERVED_NAMES,
    "system-notice",
    "admin-1",
    "meet-ai-support",
    "acme-support",
    "room-owner",
    // Read as what they are not.
    "0perator",
    "operat0r",
    "adrnin",
    "adm1n",
    "admln",
    "r00t",
    "a11",
    "5upport",
    "oper-ator",
    "meet-a1",
    "0wner-bot",
    "acme-5taff",
  ];
  it.each(refused.map((name) => [name]))("refuses the agent %j (promise 10)", (name) => {
    expect(parseAgentName(name)).toMatchObject({ fault: "invalid" });
  });

  it.each([
    ["ab", true],
    ["a-b", true],
    ["a".repeat(63), true],
    ["a", false],
    ["a".repeat(64), false],
    ["-a", false],
    ["a-", false],
    ["A1", false],
    ["a_b", false],
    ["a%62", false],
    ["ab\n", false],
    ["", false],
  ])("the room id %j: %s", (id, good) => {
    expect(isRoomId(id)).toBe(good);
  });

  it.each([
    [KEY, true],
    [`mai_${"-_aZ09".repeat(4)}`, true],
    // Those of the previous server were shorter, and a client may make a longer one.
    [KEY.slice(0, -1), true],
    ["mai_a1B2c3D4", true],
    [`mai_${"x".repeat(64)}`, true],
    ["mai_a1B2c3D", false],
    [`mai_${"x".repeat(65)}`, false],
    ["mai_a1B2.3D4", false],
    [KEY.toUpperCase(), false],
    [`${KEY}\n`, false],
  ])("the key %j: %s", (key, good) => {
    expect(isKey(key)).toBe(good);
  });

  it.each([[1], [Number.MAX_SAFE_INTEGER]])("takes the seq %d", (seq) => {
    expect(parseSeq(seq, "seq")).toBe(seq);
  });

  it.each([[0], [-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], [2 ** 53], ["1"], [null]])(
    "refuses the seq %s",
    (seq) => {
      expect(parseSeq(seq, "seq")).toMatchObject({ fault: "invalid" });
    },
  );

  it("reads a POSTed message by the same rules as a frame", () => {
    expect(parseSend({ id: "a", content: " b ", replyTo: 3, sender: "x" })).toEqual({
      id: "a",
      content: "b",
      replyTo: 3,
    });
    expect(parseSend({ content: "b" })).toMatchObject({ fault: "invalid" });
  });
});

describe("lengths", () => {
  it("are those of UTF-8", () => {
    expect(["", "a", "ä", "€", "🙂", "\ud800"].map(utf8Length)).toEqual([0, 1, 2, 3, 4, 3]);
  });

  it("exceed a limit exactly when the bytes do", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(80), (text, limit) => {
        expect(exceedsBytes(text, limit)).toBe(Buffer.byteLength(text.toWellFormed()) > limit);
      }),
    );
  });
});

describe("errors", () => {
  it("have a status each, and a frame that says no more than they do", () => {
    expect(errorFrame(fault("muted", "Quiet."))).toEqual({ type: "error", code: "muted", message: "Quiet." });
    const late = { ...fault("rate_limited", "Slowly.", 3), id: "a" };
    expect(errorFrame(late)).toEqual({
      type: "error",
      code: "rate_limited",
      message: "Slowly.",
      id: "a",
      retryAfter: 3,
    });
    for (const status of Object.values(ERROR_STATUS))
      expect(status).toSatisfy((code) => code === 202 || (code >= 400 && code < 600));
  });

  it("are told from other values", () => {
    expect([fault("invalid", ""), {}, null, undefined, "fault"].map(isFault)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

it("leaves a client the time to miss pings, and to answer, before a room believes that it has gone", () => {
  const { every, deadAfter } = HEARTBEAT;
  const { askAfter, unlistAfter, closeAfter } = SILENCE;
  expect(deadAfter).toBeGreaterThan(3 * every);
  expect(askAfter).toBeGreaterThanOrEqual(3 * every);
  expect(unlistAfter).toBeGreaterThanOrEqual(askAfter + every);
  // A hidden tab's timers run once a minute: two of those pings may be lost.
  expect(closeAfter).toBeGreaterThan(2 * 60_000);
});

it("sends no frame that is longer than what a client is sent at first", () => {
  expect(FLOW.frameBytes).toBeLessThanOrEqual(FLOW.firstWindow);
});

it("sends those away for good whom coming back would not help", () => {
  expect(FINAL_CLOSE_CODES).toEqual([4401, 4403, 4404, 4410]);
});
