/** The widget's languages, one file each. English is always there; another one is loaded when it is asked for. */

import { RoomError } from "../../stay/room-error.ts";
import { lazily } from "../lazy.ts";
import { strings as en, type Strings } from "./en.ts";

export type { Strings };
export { en };

/** To add a language: one file beside this one, and one line here. */
const LANGUAGES: Readonly<Record<string, () => Promise<{ readonly strings: Strings }>>> = {
  de: lazily(() => import("./de.ts")),
  ar: lazily(() => import("./ar.ts")),
};

/**
 * The strings of a language, with a page's own in place of some.
 *
 * @throws RoomError `invalid`: the element does not have one of them, or has it as another type.
 */
export function withOwn(strings: Strings, own: Partial<Strings> = {}): Strings {
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (typeof value !== typeof en[name as keyof typeof en]) {
      throw new RoomError("invalid", `There is no ${typeof value} "${name}" among the element's strings.`);
    }
  }
  return { ...strings, ...Object.fromEntries(given) };
}

/** The strings for a language tag such as `de-AT`, as soon as they are there; English for a language that is not here. */
export async function loadStrings(tag: string): Promise<Strings> {
  const language = tag.toLowerCase().split("-", 1)[0] ?? "";
  return (await LANGUAGES[language]?.())?.strings ?? en;
}
