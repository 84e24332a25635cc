/** How full the deployment is and what went wrong, as the operator's page shows it. */

import { html, nothing } from "lit";
import { dateAndTime } from "../times.ts";
import type { Overview } from "./admin-api.ts";

const MEASURES: readonly (readonly [name: string, words: string])[] = [
  ["workerRequests", "Requests to the Worker"],
  ["objectRequests", "Requests to objects"],
  ["objectMs", "Time of objects, ms"],
  ["objectRowsWritten", "Rows written in objects"],
  ["databaseRowsRead", "Rows read in D1"],
  ["databaseRowsWritten", "Rows written in D1"],
  ["socketsOpened", "Sockets opened"],
];

/** From this part of a limit on it is time to act. */
const NEAR = 0.8;

const number = new Intl.NumberFormat("en");
const megabytes = (bytes: number) => `${number.format(Math.round(bytes / 100_000) / 10)} MB`;

export function storageView({ storage, rooms }: Overview) {
  const { bytes, limit, share } = storage.database;
  return html`<section class="section" aria-labelledby="storage">
    <h2 id="storage">Storage</h2>
    <ul class="admin-figures">
      ${figure("D1", megabytes(bytes), limit === null ? undefined : megabytes(limit), share ?? undefined)}
      ${figure(rooms.isWhole ? "Rooms" : "Rooms, of the latest 10,000", number.format(rooms.count))}
      ${figure("Messages in D1", number.format(rooms.messages))}
    </ul>
  </section>`;
}

export function dayView({ at, estimatedByDay, dailyLimits }: Overview) {
  const today = estimatedByDay.find(({ day }) => day === at.slice(0, 10));
  return html`<section class="section" aria-labelledby="day">
    <h2 id="day">Today</h2>
    <p class="muted small">Since 00:00 UTC. These are this deployment's own estimates, drawn by chance: of small numbers they
      say little.</p>
    <ul class="admin-figures">
      ${MEASURES.map(([name, words]) => {
        const used = Number(today?.[name] ?? 0);
        const limit = dailyLimits?.[name];
        return figure(words, number.format(used), limit && number.format(limit), limit && used / limit);
      })}
    </ul>
  </section>`;
}

function figure(words: string, used: string, limit?: string | 0, share?: number) {
  const isNear = share !== undefined && share >= NEAR;
  return html`<li class=${isNear ? "near" : ""}>
    <span>${words}</span>
    <span>${used}${limit ? html` <span class="muted">of ${limit}</span>` : nothing}</span>
    ${share === undefined ? nothing : html`<meter aria-label=${`${words}: part of the limit`} min="0" max="1" high=${NEAR} .value=${Math.min(1, share)}></meter>`}
  </li>`;
}

export function errorsView({ errors: { counts, incidents }, at }: Overview) {
  const today = counts.filter(({ day }) => day === at.slice(0, 10));
  return html`<section class="section" aria-labelledby="errors">
    <h2 id="errors">Errors</h2>
    ${today.length === 0 ? html`<p class="muted small">None today.</p>` : nothing}
    <ul class="admin-figures">
      ${today.map(({ code, count }) => figure(code, number.format(count)))}
    </ul>
    <h3>Incidents</h3>
    ${incidents.length === 0 ? html`<p class="muted small">None is known.</p>` : nothing}
    <ul class="entries">
      ${incidents.slice(0, 20).map(
        ({ id, at, what, place }) => html`<li>
          <span>${what}: ${place}<br /><code class="small">${id}</code></span>
          <time class="muted small" datetime=${at}>${dateAndTime(at)}</time>
        </li>`,
      )}
    </ul>
  </section>`;
}
