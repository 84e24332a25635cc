import { svg } from "lit";
import { icon } from "../icons.ts";

export const shieldIcon = icon(svg`<path d="M8 1.8 13.2 3.6v4c0 3.1-2 5.2-5.2 6.6-3.2-1.4-5.2-3.5-5.2-6.6v-4Z" />`);
