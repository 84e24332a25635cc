/** The room's name and topic, how the connection is, and the way to who is here. */

import { html, nothing, type TemplateResult } from "lit";
import type { RoomState } from "../../view/room-state.ts";
import { peopleIcon } from "../icons.ts";
import type { Strings } from "../strings/strings.ts";

export interface HeaderOptions {
  /** What the room is called as long as it has not said so itself. */
  readonly id: string;
  readonly showsPeople: boolean;
  togglePeople(): void;
}

export function header(state: RoomState, strings: Strings, options: HeaderOptions): TemplateResult {
  const { room, status, people, spectators } = state;
  return html`<header class=${status} part="header">
    <slot name="header">
      <span class="dot ${status}" role="img" aria-label=${strings.status[status]} title=${strings.status[status]}></span>
      <div class="title">
        <h2 dir="auto">${room?.name ?? options.id}</h2>
        ${room?.topic ? html`<p class="topic" dir="auto" title=${room.topic}>${room.topic}</p>` : nothing}
      </div>
    </slot>
    <button class="quiet here" type="button" title=${strings.peopleTitle} aria-expanded=${options.showsPeople}
      @click=${options.togglePeople}>${peopleIcon} <span>${strings.people(people.length + spectators)}</span></button>
  </header>`;
}
