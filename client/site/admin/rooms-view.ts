/** The deployment's rooms, each with what the operator may do about it. */

import { html, nothing } from "lit";
import type { BusyRoom, Overview, RoomFigures } from "./admin-api.ts";

const number = new Intl.NumberFormat("en");

/** What is to be changed of a room. */
export type Hold = (room: string, change: { closed?: boolean; hidden?: boolean }) => void;

export function roomsView({ rooms }: Overview, isBusy: boolean, hold: Hold) {
  return html`<section class="section" aria-labelledby="rooms">
    <h2 id="rooms">Rooms</h2>
    <p class="muted small">Closed: nobody writes, and it is read as before. Hidden: it stands in no list.</p>
    <h3>Active last</h3>
    <ul class="entries admin-rooms">${rooms.busiest.map((room) => roomView(room, isBusy, hold))}</ul>
    <h3>The most messages</h3>
    <ul class="entries admin-rooms">${rooms.largest.map((room) => roomView(room, isBusy, hold))}</ul>
    <h3>Another room</h3>
    <form class="pair-form" @submit=${(event: SubmitEvent) => holdNamed(event, hold)}>
      <div class="field">
        <label for="other-room">Its address, after /r/</label>
        <input class="input" id="other-room" name="room" required autocomplete="off" autocapitalize="none" spellcheck="false" />
      </div>
      <div class="field">
        <label for="other-change">What to do</label>
        <select class="input" id="other-change" name="change">
          ${Object.keys(CHANGES).map((words) => html`<option>${words}</option>`)}
        </select>
      </div>
      <button class="button" ?disabled=${isBusy}>Do it</button>
    </form>
  </section>`;
}

const CHANGES: Readonly<Record<string, Parameters<Hold>[1]>> = {
  "Close it": { closed: true },
  "Open it": { closed: false },
  "Hide it": { hidden: true },
  "Show it": { hidden: false },
};

function holdNamed(event: SubmitEvent, hold: Hold): void {
  event.preventDefault();
  const { elements } = event.target as HTMLFormElement;
  const fieldOf = (name: string) => (elements.namedItem(name) as HTMLInputElement | HTMLSelectElement).value.trim();
  const change = CHANGES[fieldOf("change")];
  if (change && fieldOf("room") !== "") hold(fieldOf("room"), change);
}

function roomView(room: RoomFigures | BusyRoom, isBusy: boolean, hold: Hold) {
  const { id, name, closed, hidden } = room;
  return html`<li>
    <span>
      <a href=${`/r/${id}`}>${name}</a> <span class="muted small">${id}</span><br />
      <span class="muted small">${stateOf(room).join(" · ")}</span>
      ${"now" in room && room.now ? html`<br /><span class="muted small">${nowOf(room.now)}</span>` : nothing}
    </span>
    <span class="row">
      <button type="button" class="button compact" ?disabled=${isBusy} @click=${() => hold(id, { closed: !closed })}
        aria-label=${`${closed ? "Open" : "Close"} ${name}`}>${closed ? "Open" : "Close"}</button>
      <button type="button" class="button compact" ?disabled=${isBusy} @click=${() => hold(id, { hidden: !hidden })}
        aria-label=${`${hidden ? "Show" : "Hide"} ${name}`}>${hidden ? "Show" : "Hide"}</button>
    </span>
  </li>`;
}

function stateOf({ messages, owner, access, listed, closed, hidden }: RoomFigures): string[] {
  return [
    `${number.format(messages)} ${messages === 1 ? "message" : "messages"}`,
    owner ?? "nobody's",
    ...(access === "members" ? ["its members'"] : []),
    ...(closed ? ["closed"] : []),
    ...(hidden ? ["hidden"] : listed ? [] : ["unlisted"]),
  ];
}

function nowOf({ connections, archive, bytes }: NonNullable<BusyRoom["now"]>): string {
  const { people, agents, spectators } = connections;
  const lag = archive.lag === 0 ? "D1 has all of it" : `D1 is ${number.format(archive.lag)} behind`;
  const hold = archive.hold ? [archive.hold.limit === "full" ? "D1 is full" : "D1 is over its day"] : [];
  const here = `${people} people, ${agents} agents, ${spectators} watching`;
  return [here, lag, ...hold, `${number.format(Math.ceil(bytes / 1_000))} kB`].join(" · ");
}
