/** The script of the page in `prose-csp.test.ts`: its policy lets no test code run there, only modules of this origin. */

import { proseStyles } from "../../client/widget/prose/prose.styles.ts";
import { Prose } from "../../client/widget/prose/prose.ts";

document.adoptedStyleSheets = [proseStyles.styleSheet as CSSStyleSheet];
Reflect.set(globalThis, "Prose", Prose);
