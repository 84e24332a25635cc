/** The ids of an ask's options where a model gives labels alone. */

import { OPTION_ID } from "../../party/asks/ask-parser.ts";
import type { AskOption } from "../../party/protocol.ts";

/** Options as the API takes them: a label that can't be an id gets one of its letters and digits, or a number. */
export function withIds(options: readonly unknown[]): unknown[] {
  const taken = new Set(options.filter((option) => typeof option === "string" && OPTION_ID.test(option)));
  const free = (wished: string): string => {
    let id = wished;
    for (let count = 2; taken.has(id); count++) id = `${wished}-${count}`;
    taken.add(id);
    return id;
  };
  return options.map((label, index): unknown => {
    if (typeof label !== "string" || OPTION_ID.test(label)) return label;
    const word = label
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join("-")
      .slice(0, 32);
    return { id: word && !taken.has(word) ? free(word) : free(`option-${index + 1}`), label } satisfies AskOption;
  });
}
