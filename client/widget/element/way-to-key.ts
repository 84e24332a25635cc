import { html, type TemplateResult } from "lit";
import { MeetAiKeyEvent } from "../events.ts";
import type { Strings } from "../strings/strings.ts";

/**
 * The way to a key, where guests only read. A page that has keys of its own hears of it and prevents what is the default:
 * `href`, the room's own page, which takes and makes keys.
 */
export function wayToKey(element: HTMLElement, href: string, strings: Strings): TemplateResult {
  const follow = (event: Event) => element.dispatchEvent(new MeetAiKeyEvent(undefined)) || event.preventDefault();
  return html`<a href=${href} target="_blank" rel="noopener" @click=${follow}>${strings.useKey}</a>`;
}
