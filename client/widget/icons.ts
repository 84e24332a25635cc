/**
 * Line icons on a grid of 16. Decoration: each stands in a button that has a name. Those of a part that is loaded later
 * stand beside it.
 */

import { html, svg } from "lit";

export const icon = (content: unknown) =>
  html`<svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${content}</svg>`;

export const closeIcon = icon(svg`<path d="m4 4 8 8M12 4l-8 8" />`);
export const peopleIcon = icon(
  svg`<circle cx="6" cy="5.5" r="2.5" /><path d="M1.5 13.5c.3-2.6 2-4 4.5-4s4.2 1.4 4.5 4M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12.2 9.9c1.3.6 2.1 1.8 2.3 3.6" />`,
);
export const muteIcon = icon(svg`<circle cx="8" cy="8" r="5.5" /><path d="m4.2 4.2 7.6 7.6" />`);
