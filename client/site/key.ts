/** The script of `/key`: its elements, and a fresh key into the snippets that use it. */

import "./theme/theme-toggle.ts";
import "./key/key-panel.ts";
import { session } from "./session.ts";
import { SnippetTabs } from "./snippets/snippet-tabs.ts";

session.addEventListener("change", () => {
  for (const snippets of document.querySelectorAll("site-snippets")) {
    // A key that somebody typed into a field of dots is not written out here.
    if (snippets instanceof SnippetTabs) snippets.secret = session.current?.fresh ? session.current.key : undefined;
  }
});
