import { svg } from "lit";
import { icon } from "../icons.ts";

export const muteIcon = icon(svg`<circle cx="8" cy="8" r="5.5" /><path d="m4.2 4.2 7.6 7.6" />`);
