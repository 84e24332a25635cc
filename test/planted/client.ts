/** Bugs in the client: in a stay in a room, and in what a person sees and does. */

import { browser, type PlantedBug, unit } from "./planted-bug.ts";

const element = (test: string) => browser("client/widget/element/meet-ai-room", test);

export const PLANTED_IN_CLIENT: readonly PlantedBug[] = [
  {
    name: "a reset of the same epoch ignored",
    breaks: 4,
    edits: [
      {
        file: "client/stay/connection.ts",
        find: "const resumed = !welcome.reset && welcome.epoch === this.#epoch;",
        replace: "const resumed = welcome.epoch === this.#epoch;",
      },
    ],
    caughtBy: [
      unit("client/stay/connection", "a reset of the same epoch is believed: it begins anew and stays connected"),
    ],
  },
  {
    name: "no heartbeat after a reconnect",
    breaks: 8,
    edits: [
      {
        file: "client/stay/connection.ts",
        find: "    this.#heartbeat.start();\n",
        replace: "    if (this.#epoch === undefined) this.#heartbeat.start();\n",
      },
    ],
    caughtBy: [unit("client/stay/connection", "the next connection is listened for, too")],
  },
  {
    name: "a hidden tab dropped",
    breaks: 8,
    edits: [
      {
        file: "client/stay/heartbeat.ts",
        find: "    this.#cancel();\n    this.#cancel = this.#deps.clock.after(HEARTBEAT.every, () => this.#ping());\n",
        replace: "",
      },
      // Each ping is armed by a timer that the last one has armed, and silence is measured when that timer fires.
      {
        file: "client/stay/heartbeat.ts",
        find: "    this.#wait(HEARTBEAT.deadAfter);\n    ping();\n  }\n",
        replace: `    this.#chain();
    ping();
  }

  #chain(): void {
    this.#cancel();
    const { clock, onDead } = this.#deps;
    const check = () => (clock.now() - this.#lastSign > HEARTBEAT.deadAfter ? onDead() : this.#ping());
    this.#cancel = clock.after(HEARTBEAT.every, check);
  }
`,
      },
    ],
    caughtBy: [
      unit(
        "client/stay/heartbeat",
        "in a hidden page, whose chained timers fire once a minute, a healthy peer is not dropped and goes on being asked",
      ),
      unit("client/stay/heartbeat", "where even the first timer waits for the minute, a healthy peer is not dropped"),
    ],
  },
  {
    name: "a peer given up by a timer that fired late",
    breaks: 8,
    edits: [
      {
        file: "client/stay/heartbeat.ts",
        find: "} else if (silence > HEARTBEAT.deadAfter + LATE && this.#looks < SECOND_LOOKS) {",
        replace: "} else if (this.#looks < 0) {",
      },
    ],
    caughtBy: [unit("client/stay/heartbeat", "a machine that has slept looks before it gives its peer up")],
  },
  {
    name: "all come back at the same moment",
    breaks: 9,
    edits: [
      {
        file: "client/stay/reconnecting-socket.ts",
        find: "backoff(failures++, Math.random())",
        replace: "backoff(failures++, 1)",
      },
    ],
    caughtBy: [
      unit(
        "client/stay/reconnecting-socket",
        "it tries at once, then after waits that grow to 15 s and are each spread anew",
      ),
    ],
  },
  {
    name: "waits that are not spread",
    breaks: 9,
    edits: [
      {
        file: "client/stay/backoff.ts",
        find: "return LEAST + random * (Math.min(MOST, FIRST_MOST * GROWTH ** failures) - LEAST);",
        replace: "return Math.max(LEAST * random, Math.min(MOST, FIRST_MOST * GROWTH ** failures));",
      },
    ],
    caughtBy: [unit("client/stay/backoff", "every wait is spread, not only the first")],
  },
  {
    name: "a refused draft repeated",
    breaks: 9,
    edits: [{ file: "client/stay/draft.ts", find: "this.#isRefused = true;", replace: "this.#told = 0;" }],
    caughtBy: [
      unit(
        "client/stay/draft",
        "a refused piece is told, and nothing follows in its place until a new connection has the whole",
      ),
    ],
  },
  {
    name: "a refused message that can't be sent again",
    breaks: "writing",
    edits: [
      {
        file: "client/stay/outbox.ts",
        find: "    this.#entries.delete(id);\n    entry.reject(error);",
        replace: "    entry.reject(error);",
      },
    ],
    caughtBy: [unit("client/stay/writer", "a refused message can be sent again under its id")],
  },
  {
    name: "the shorter of two waits",
    breaks: "quotas",
    edits: [
      {
        file: "client/stay/outbox.ts",
        find: "Math.max(this.#heldUntil, now + passesAfter(error))",
        replace: "now + passesAfter(error)",
      },
    ],
    caughtBy: [unit("client/stay/writer", "of two refusals the longer wait counts")],
  },
  {
    name: "a kept reply that answers nothing",
    breaks: "writing",
    edits: [
      {
        file: "client/stay/kept-messages.ts",
        find: "parseSend({ id, content, replyTo })",
        replace: "parseSend({ id, content, replyTo: replyTo && undefined })",
      },
    ],
    caughtBy: [unit("client/stay/writer", "messages on their way go out with the next, under their ids, once")],
  },
  {
    name: "what a reload left goes out last",
    breaks: "writing",
    edits: [
      {
        file: "client/stay/outbox.ts",
        find: "    this.#entries.clear();\n    for (const message of earlier)",
        replace: "    for (const message of earlier)",
      },
    ],
    caughtBy: [
      unit(
        "client/stay/writer",
        "go out before what the next has written by then, in the order in which all was written",
      ),
    ],
  },
  {
    name: "a draft that goes on with its tail",
    breaks: "writing",
    edits: [{ file: "client/stay/draft.ts", find: "    if (this.hasLapsed) this.#restart();\n", replace: "" }],
    caughtBy: [
      unit(
        "client/stay/draft",
        "that goes on after 45 s of silence shows its whole text again, after which another began",
      ),
    ],
  },
  {
    name: "a message of another room",
    breaks: "reading",
    edits: [
      {
        file: "client/widget/element/room-controller.ts",
        find: "isHere() && going === this.#going",
        replace: "going === this.#going",
      },
    ],
    caughtBy: [element("a message that is still being looked for in a room that was left is not shown in the next")],
  },
  {
    name: "one room's text in every field",
    breaks: "writing",
    edits: [
      {
        file: "client/widget/browser-memory.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "${server}/${room}`",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: so is this
        replace: '${server}/${what === "text" ? "" : room}`',
      },
    ],
    caughtBy: [element("text for one room does not stand in the field of another, and is there when one comes back")],
  },
  {
    name: "an input method's Enter sends",
    breaks: "writing",
    edits: [
      {
        file: "client/widget/composer/composer.ts",
        find: "event.isComposing || event.keyCode === 229",
        replace: "event.isComposing",
      },
    ],
    caughtBy: [element("Shift+Enter breaks the line; an input method's Enter sends nothing")],
  },
  {
    name: "the focus lost when the list of people closes",
    breaks: "reading",
    edits: [
      {
        file: "client/widget/element/meet-ai-room.ts",
        find: '      this.renderRoot.querySelector<HTMLElement>(".here")?.focus({ preventScroll: true });\n',
        replace: "",
      },
    ],
    caughtBy: [element("Escape in a part of the room closes no dialog around it")],
  },
  {
    name: "the language that loads last",
    breaks: "reading",
    edits: [
      {
        file: "client/widget/strings/texts.ts",
        find: "    if (loading !== this.#loading) return;\n",
        replace: "",
      },
    ],
    caughtBy: [
      browser(
        "client/widget/strings/strings",
        "of two languages the one that was asked for last is shown, whichever comes first",
      ),
    ],
  },
  {
    name: "one's own message from elsewhere counted as new",
    breaks: "reading",
    edits: [
      {
        file: "client/widget/element/room-controller.ts",
        find: "        if (!message.answer) this.#slowDown();\n        continue;\n",
        replace: "        if (!message.answer) this.#slowDown();\n",
      },
    ],
    caughtBy: [element("what one has said oneself elsewhere is not new")],
  },
  {
    name: "one row that holds the reader's place",
    breaks: "reading",
    edits: [{ file: "client/widget/feed/scroll-keeper.ts", find: "places.length < 12", replace: "places.length < 1" }],
    caughtBy: [
      browser(
        "client/widget/feed/anchors",
        "the draft at the top of the view is given up: the one below it, which is being read, does not move",
      ),
    ],
  },
  {
    name: "a host hidden behind what nobody sees",
    breaks: "reading",
    edits: [
      {
        file: "client/widget/prose/links.ts",
        find: 'const seen = text.replace(/\\p{Cf}/gu, "");',
        replace: "const seen = text;",
      },
    ],
    caughtBy: [browser("client/widget/prose/prose", "shows a text that names another host behind what nobody sees")],
  },
  {
    name: "a part that Chromium never loads again",
    breaks: "reading",
    edits: [{ file: "client/widget/lazy.ts", find: "if (address) {", replace: "if (address && tries < 0) {" }],
    caughtBy: [
      browser("client/widget/lazy", "what Chromium has failed to load it never asks for again under the same address"),
    ],
  },
];
