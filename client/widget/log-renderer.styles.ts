import { css } from "lit";

/** Of the log and the room: what nobody sees before the first messages. */
export const rowStyles = css`
/* In a wide room the log is a column in its middle, as wide as its text, and the field below it is as wide. */
.rows { padding-inline: max(0px, (100% - 51em) / 2) }
.writers { padding-inline: max(1.1em, (100% - 49em) / 2) }
.pill {
  position: absolute;
  inset-block-end: .6em;
  inset-inline-end: 1em;
  display: inline-flex;
  align-items: center;
  gap: .5em;
  min-block-size: 2.3em;
  padding: .35em .65em;
  border-radius: 99px;
  font-size: .87em;
  font-weight: 600;
  color: var(--meet-ai-text);
  background: var(--meet-ai-surface);
  border: 1px solid var(--meet-ai-border);
  box-shadow: 0 4px 14px rgb(0 0 0 / .25);
  z-index: 1;
}
.pill.counting { color: var(--meet-ai-on-accent); background: var(--meet-ai-accent); border-color: transparent; padding-inline: .95em .75em }

.row:is(:hover, :focus-within) { background: color-mix(in oklab, var(--meet-ai-surface) 70%, transparent) }
.row.marked { background: color-mix(in oklab, var(--meet-ai-accent) 16%, transparent) }
/* Seen where a system's high contrast has taken the background away. A row with the focus shows that instead. */
.marked { outline: 2px dashed transparent }
.row:is(.queued, .sent, .held) .avatar { opacity: .5 }
.delivery { display: flex; align-items: center; flex-wrap: wrap; gap: .3em .6em; font-size: .8em; color: var(--meet-ai-muted) }
.delivery.failed { color: var(--meet-ai-danger) }
.delivery button { text-decoration: underline; text-underline-offset: 3px; font-weight: 600; padding: .1em .2em }

/* What a finger is to hit is as large as one. */
@media (pointer: coarse) {
  .room :is(.here, .pill, .delivery button, .banner button, .people button) { min-block-size: 44px }
}

/* A system's high contrast takes backgrounds and shadows away: what they tell is told by lines. */
@media (forced-colors: active) {
  :where(.room) :where(button) { border: 1px solid }
  .dot.open { background: CanvasText }
  .avatar.agent { forced-color-adjust: none; background: CanvasText; color: Canvas }
}
`;
