/** The keyboard shortcuts, in English: they come with the field that tells them, and not with every page. */

import type { Strings } from "../strings/en.ts";

export const hint = "Enter sends, Shift+Enter breaks the line";
export const touchHint = "Enter breaks the line, the button sends";

export const keys: Strings["keys"] = [
  ["Enter", "Send"],
  ["Shift Enter", "New line"],
  ["@", "Complete a name"],
  ["↑ in an empty field", "To the messages"],
  ["↑ ↓ Home End", "From message to message"],
  ["← →", "To a message's buttons"],
  ["R", "Reply"],
  ["Enter on a reply", "To what it answers"],
  ["C", "Copy the link"],
  ["A", "To a question for you"],
  ["Delete", "Delete your message"],
  ["Esc", "Back to the field"],
];
