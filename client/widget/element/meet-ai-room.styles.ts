import { css } from "lit";

/** Colours, what a page's own styles can't reach, and the frame around everything. */
export const roomStyles = css`
:host {
  --meet-ai-background: light-dark(#fff, #0f1115);
  --meet-ai-surface: light-dark(#f4f5f7, #181b21);
  --meet-ai-border: light-dark(#dcdfe6, #2a2f38);
  --meet-ai-text: light-dark(#1a1d23, #e6e8ec);
  --meet-ai-muted: light-dark(#5a6170, #9aa2b1);
  --meet-ai-accent: light-dark(#3450d0, #93a8ff);
  --meet-ai-on-accent: light-dark(#fff, #0d1122);
  --meet-ai-danger: light-dark(#b3261e, #ff9189);
  display: grid;
  grid-template: minmax(0, 1fr) / minmax(0, 1fr);
  writing-mode: horizontal-tb;
  block-size: var(--meet-ai-height, 576px);
  min-inline-size: 0;
  min-block-size: 0;
}
:host([hidden]) { display: none }

/* Nothing that a page sets for itself is inherited beyond here. "medium" is the reader's own size, whatever the page's. */
.room {
  all: initial;
  color-scheme: inherit;
  container: meet-ai / size;
  box-sizing: border-box;
  display: block;
  /* Its size is never that of what it holds: where the page gives the element none, even no display, it is this one. */
  contain-intrinsic-inline-size: 358px;
  inline-size: 100%;
  block-size: var(--meet-ai-height, 576px);
  /* As tall as the element, where that has a height; a low one, down to this, it overflows. */
  min-block-size: 100%;
  max-block-size: max(100%, 192px);
  overflow: hidden;
  position: relative;
  isolation: isolate;
  font: medium / 1.5 var(--meet-ai-font, system-ui, sans-serif);
  color: var(--meet-ai-text);
  background: var(--meet-ai-background);
  border: 1px solid var(--meet-ai-border);
  border-radius: var(--meet-ai-radius, 12px);
  -webkit-text-size-adjust: 100%;
  scrollbar-color: var(--meet-ai-border) transparent;
}
/* Inline, because a page's text-decoration is drawn along every block inside it. */
.frame { display: inline-flex; flex-direction: column; inline-size: 100%; block-size: 100%; vertical-align: top }
.room[data-theme="light"] { color-scheme: light }
.room[data-theme="dark"] { color-scheme: dark }
.room[dir="rtl"] { direction: rtl }

.room *, .room ::before, .room ::after { box-sizing: border-box }
.room [hidden] { display: none }
:where(.room) :where(p, h2, h3, h4, ul, dl, dd) { margin: 0; padding: 0 }
:where(.room) :where(ul) { list-style: none }
.room :is(header, .main, meet-ai-composer, .banner, .watching) { font-size: var(--meet-ai-font-size, .9375em) }
:where(.room) :where(button, textarea) {
  font: inherit;
  color: inherit;
  letter-spacing: inherit;
  background: none;
  border: 0;
  margin: 0;
  padding: 0;
  border-radius: 8px;
  text-align: start;
}
:where(.room) :where(button) { cursor: pointer; touch-action: manipulation }
.room :focus { outline: none }
.room :focus-visible { outline: 2px solid var(--meet-ai-accent); outline-offset: 1px }
.icon { inline-size: 1.15em; block-size: 1.15em; display: block; flex: none }
.room[dir="rtl"] .icon { scale: -1 1 }
.room .quiet {
  display: inline-flex;
  align-items: center;
  gap: .4em;
  padding: .4em .55em;
  color: var(--meet-ai-muted);
  white-space: nowrap;
}

header {
  display: flex;
  align-items: center;
  gap: .7em;
  padding: .6em;
  padding-inline-start: 1em;
  border-block-end: 1px solid var(--meet-ai-border);
  flex: none;
}
.here { margin-inline-start: auto }
/* How many are here is known from a connection alone. Its place is kept: nothing moves when it comes. */
header:not(.open) .here span { visibility: hidden }
/* A topic comes from a connection alone. The place of one is kept. */
.title { flex: 1; min-inline-size: 0; display: grid; align-content: center; min-block-size: 2.57em }
/* A name in another direction stands where all others do, and is cut at its own end. */
.title > * { text-align: -webkit-match-parent; text-align: match-parent }
.title h2 { font-size: 1em; font-weight: 600; line-height: 1.35; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.topic { color: var(--meet-ai-muted); font-size: .87em; line-height: 1.4; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.dot { inline-size: 9px; block-size: 9px; border-radius: 50%; flex: none; border: 2px solid; color: var(--meet-ai-muted) }
.dot.open { color: light-dark(#1a8a4a, #4cc38a); background: currentColor }
.dot.offline { color: light-dark(#b25e00, #f0a74a); border-style: dashed }
.dot.closed { color: var(--meet-ai-danger); border-radius: 1px }

.banner {
  display: flex;
  align-items: center;
  flex-wrap: wrap;
  gap: .3em .9em;
  padding: .5em 1em;
  flex: none;
  font-size: .87em;
  color: light-dark(#6b3d00, #ffd591);
  background: light-dark(#fff3dc, #2b2110);
  border-block-end: 1px solid light-dark(#f0d9ae, #4a3a1c);
}
.banner.closed { color: light-dark(#8a1c15, #ffb4ae); background: light-dark(#fdeceb, #2c1615); border-color: light-dark(#f3c9c6, #512724) }
.room .banner button { text-decoration: underline; text-underline-offset: 3px; font-weight: 600; padding: .1em .3em }

.main { flex: 1 1 0px; min-block-size: 0; display: flex; position: relative }
.log { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; position: relative }
.empty { position: absolute; inset: 0; display: grid; place-content: center; text-align: center; color: var(--meet-ai-muted); padding: 1em; pointer-events: none }
.empty > * { pointer-events: auto }
.empty p:first-child, slot[name="empty"] p:first-child { color: var(--meet-ai-text); font-weight: 600 }
.writers {
  flex: none;
  block-size: 1.6em;
  padding-inline: 1.1em;
  font-size: .8em;
  color: var(--meet-ai-muted);
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.watching { flex: none; padding: .8em 1em; text-align: center }
.spoken { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }

/* Their place, until they have come. */
meet-ai-composer:not(:defined) { display: block; flex: none; block-size: 5.1em }
meet-ai-composer:not(:defined)::before { content: attr(title); padding: 1em; color: var(--meet-ai-muted); animation: meet-ai-late 3s step-end }
@keyframes meet-ai-late { from { opacity: 0 } }
meet-ai-people:not(:defined) { display: none }

.avatar {
  --size: 2.78em;
  display: grid;
  place-items: center;
  flex: none;
  inline-size: var(--size);
  block-size: var(--size);
  font-size: .72em;
  font-weight: 600;
  color: var(--hue);
  background: color-mix(in oklab, var(--hue) 12%, var(--meet-ai-background));
  border: 1.5px solid color-mix(in oklab, var(--hue) 50%, var(--meet-ai-background));
  border-radius: 50%;
  line-height: 1;
}

@media (prefers-reduced-motion: no-preference) {
  .dot:is(.connecting, .offline) { animation: meet-ai-wait 1.4s ease-in-out infinite alternate }
}
@keyframes meet-ai-wait { to { opacity: .25 } }
`;
