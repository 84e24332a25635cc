import { css } from "lit";

/** Of the log and the room: what is not seen before the first messages are, and their colours, which move nothing. */
export const rowStyles = css`
/* In a wide room the log is a column in its middle, as wide as its text, and the field below it is as wide. */
.rows { padding-inline: max(0px, (100% - 51em) / 2) }
.writers { padding-inline: max(1.1em, (100% - 49em) / 2) }
.room .waiting { color: var(--meet-ai-accent); font-weight: 600; text-decoration: underline; text-underline-offset: 3px }
.barred { flex: 1; display: grid; place-content: center; gap: .7em; padding: 1.5em; text-align: center }
.barred h2 { font-size: 1.15em; font-weight: 600 }
.barred p { max-inline-size: 34em; color: var(--meet-ai-muted) }
.room .barred :is(a, button) { color: var(--meet-ai-accent); font-weight: 600; text-decoration: underline; text-underline-offset: 3px; padding: .3em .5em }
.pill {
  position: absolute;
  inset-block-end: .6em;
  /* In the middle: at the side it would lie on the buttons of a message. */
  inset-inline: 0;
  inline-size: fit-content;
  margin-inline: auto;
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

.gutter, .avatar, .badge, .quote, .to-tools, meet-ai-message-tools { -webkit-user-select: none; user-select: none }
.time.aside { display: block; inline-size: 3.4em; margin-inline-start: -.8em; font-size: .68em; line-height: 2.2; text-align: center }
.room .quiet:hover { color: var(--meet-ai-text); background: var(--meet-ai-surface) }
@media (prefers-reduced-motion: no-preference) {
  .room :is(.quiet, .send) { transition: background-color .12s }
}
.rows .unread { color: var(--meet-ai-danger) }
.unread::before { border-color: currentColor; opacity: .6 }
.quote {
  grid-column: 2;
  justify-self: start;
  max-inline-size: 100%;
  display: flex;
  align-items: baseline;
  gap: .5em;
  font-size: .87em;
  color: var(--meet-ai-muted);
  border-inline-start: 3px solid var(--meet-ai-border);
  border-radius: 3px;
  padding: 0 .6em;
  margin-block: .3em .1em;
}
.quoted { font-weight: 600; white-space: nowrap }
.excerpt { flex: 1; min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.quote:hover { color: var(--meet-ai-text); border-color: var(--meet-ai-accent) }
.avatar { white-space: nowrap }
.avatar.guest { background: none; border-style: dashed; border-color: var(--hue) }
.avatar.user { border: 3px double; border-radius: 28% }
.site { color: var(--meet-ai-muted) }
.avatar.agent { border: 0; border-radius: 0; background: color-mix(in oklab, var(--hue) 14%, var(--meet-ai-background)); clip-path: polygon(50% 0, 94% 25%, 94% 75%, 50% 100%, 6% 75%, 6% 25%) }
.avatar, .sender { --hue: light-dark(oklch(0.49 0.13 var(--angle)), oklch(0.81 0.1 var(--angle))) }
.hue-0 { --angle: 25 }
.hue-1 { --angle: 50 }
.hue-2 { --angle: 80 }
.hue-3 { --angle: 115 }
.hue-4 { --angle: 145 }
.hue-5 { --angle: 175 }
.hue-6 { --angle: 205 }
.hue-7 { --angle: 235 }
.hue-8 { --angle: 262 }
.hue-9 { --angle: 290 }
.hue-10 { --angle: 320 }
.hue-11 { --angle: 350 }
.banner.paused { color: var(--meet-ai-muted); background: var(--meet-ai-surface); border-color: var(--meet-ai-border) }
.edge button { color: var(--meet-ai-accent); font-weight: 600; padding: .1em .4em }
.own .sender { color: var(--meet-ai-accent) }
.watching { color: var(--meet-ai-muted); border-block-start: 1px solid var(--meet-ai-border) }
.watching a { display: inline-block; color: var(--meet-ai-accent); font-weight: 600; text-underline-offset: 3px }
.badge {
  font-size: .72em;
  line-height: 1.5;
  font-weight: 600;
  padding: 0 .5em;
  border-radius: 99px;
  color: var(--meet-ai-muted);
  border: 1px solid var(--meet-ai-border);
  white-space: nowrap;
}
.owner { font-weight: 400 }
.badge.agent { border-radius: 4px; background: var(--meet-ai-surface) }
.badge.guest { border-style: dashed }
.badge.own { color: var(--meet-ai-accent); border-color: currentColor }
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
  .room .frame button:not(.to-tools) { min-block-size: 44px; min-inline-size: 44px }
  .room button > .icon { margin-inline: auto }
  .room .quote { align-items: center }
  .watching a { line-height: 44px }
  .watching { padding-block: 0 }
}

/* A system's high contrast takes backgrounds and shadows away: what they tell is told by lines. */
@media (forced-colors: active) {
  :where(.room) :where(button) { border: 1px solid }
  .dot.open { background: CanvasText }
  .avatar.agent { forced-color-adjust: none; background: CanvasText; color: Canvas }
}
`;
