/** The widget's languages. English is always there; another one is loaded when it is asked for. */

import type { Strings } from "./en.ts";
import { en } from "./en.ts";

export type { Strings };
export { en };

/** To add a language: one file beside this one, and one line here. */
const LANGUAGES: Readonly<Record<string, () => Promise<Strings>>> = {
  de: () => import("./de.ts").then((german) => german.de),
  ar: () => import("./ar.ts").then((arabic) => arabic.ar),
};

/** The strings for a language tag such as `de-AT`, English for one that there is not. */
export async function loadStrings(tag: string): Promise<Strings> {
  const language = tag.toLowerCase().split("-", 1)[0] ?? "";
  // A language that does not load leaves English, not an empty widget.
  return (await LANGUAGES[language]?.().catch(() => undefined)) ?? en;
}
