/** Line icons on a grid of 16. Decoration: each stands in a button that has a name. */

import { html, svg } from "lit";

const icon = (content: unknown) =>
  html`<svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${content}</svg>`;

export const sendIcon = icon(svg`<path d="M8 13V3M3.5 7.5 8 3l4.5 4.5" />`);
export const replyIcon = icon(svg`<path d="M6.5 3.5 2.5 7.5l4 4M3 7.5h6a4.5 4.5 0 0 1 4.5 4.5v.5" />`);
export const linkIcon = icon(
  svg`<path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.7.7M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.7-.7" />`,
);
export const deleteIcon = icon(svg`<path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.6 7.2v3.6M9.4 7.2v3.6" />`);
export const closeIcon = icon(svg`<path d="m4 4 8 8M12 4l-8 8" />`);
export const downIcon = icon(svg`<path d="M8 3v10M3.5 8.5 8 13l4.5-4.5" />`);
export const peopleIcon = icon(
  svg`<circle cx="6" cy="5.5" r="2.5" /><path d="M1.5 13.5c.3-2.6 2-4 4.5-4s4.2 1.4 4.5 4M10.5 3.200a2.5 2.5 0 0 1 0 4.600M12.2 9.900c1.3.6 2.1 1.8 2.3 3.6" />`,
);
export const keyboardIcon = icon(
  svg`<rect x="1.5" y="4" width="13" height="8" rx="1.5" /><path d="M4 6.500h.01M6.7 6.500h.01M9.3 6.500h.01M12 6.500h.01M5 9.500h6" />`,
);
export const alertIcon = icon(svg`<path d="M8 2 14.5 13.500h-13ZM8 6.500v3M8 11.500h.01" />`);
