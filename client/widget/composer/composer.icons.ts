import { svg } from "lit";
import { icon } from "../icons.ts";

export const sendIcon = icon(svg`<path d="M8 13V3M3.5 7.5 8 3l4.5 4.5" />`);
export const keyboardIcon = icon(
  svg`<rect x="1.5" y="4" width="13" height="8" rx="1.5" /><path d="M4 6.500h.01M6.7 6.500h.01M9.3 6.500h.01M12 6.500h.01M5 9.500h6" />`,
);
