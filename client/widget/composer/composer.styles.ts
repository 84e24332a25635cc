import { css } from "lit";

export const composerStyles = css`
meet-ai-composer {
  /* As wide as the log above it. */
  --margin: max(.8em, (100% - 49em) / 2);
  display: block;
  flex: none;
  position: relative;
  padding: 0 var(--margin) .5em;
}
.field {
  display: flex;
  align-items: flex-end;
  gap: .55em;
  padding: .4em .4em .4em .6em;
  padding-inline: .6em .4em;
  background: var(--meet-ai-surface);
  border: 1px solid var(--meet-ai-border);
  border-radius: 14px;
}
.field:focus-within { border-color: var(--meet-ai-accent); box-shadow: 0 0 0 1px var(--meet-ai-accent) }
.field .avatar { --size: 2.36em; margin-block-end: .3em }
.room .field textarea:focus-visible { outline: none }
.field textarea {
  flex: 1;
  min-inline-size: 0;
  field-sizing: content;
  resize: none;
  padding: .3em .1em;
  line-height: 1.45;
  /* In a low room it leaves the log some of it. */
  max-block-size: clamp(2em, 50cqb - 4.6em, 12em);
  overflow-y: auto;
  text-overflow: ellipsis;
  outline: none;
  scrollbar-width: thin;
}
/* An iPhone enlarges the page for a field with smaller text. */
@supports (-webkit-touch-callout: none) {
  .field textarea { font-size: max(16px, 1em) }
}
.field textarea::placeholder { color: var(--meet-ai-muted); opacity: 1; white-space: nowrap; overflow: hidden; text-overflow: inherit }
/* An empty field's own direction is none: its placeholder runs in that of the language. */
.field textarea:placeholder-shown { direction: inherit }
.send { padding: .5em; border-radius: 10px; color: var(--meet-ai-on-accent); background: var(--meet-ai-accent) }
.send[aria-disabled="true"] { color: var(--meet-ai-muted); background: none }
.below { display: flex; align-items: center; gap: .6em; min-block-size: 1.9em; padding-inline: .5em 0; font-size: .8em; color: var(--meet-ai-muted) }
.notice { color: light-dark(#8a4b00, #f5b65f) }
.notice:empty { display: none }
.hint { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-inline-size: 0 }
.count { font-variant-numeric: tabular-nums }
.count.over { color: var(--meet-ai-danger); font-weight: 600 }
.help { margin-inline-start: auto; padding: .3em; color: var(--meet-ai-muted) }
.help:hover { color: var(--meet-ai-text) }
.replying { display: flex; align-items: center; gap: .6em; padding: .35em .4em; padding-inline-start: .8em; font-size: .87em; color: var(--meet-ai-muted) }
.replying span:first-child { font-weight: 600; overflow-wrap: anywhere; color: var(--meet-ai-text) }
.replying button { padding: .35em }
.names, .shortcuts {
  position: absolute;
  inset-inline: var(--margin);
  inset-block-end: 100%;
  max-inline-size: 26em;
  background: var(--meet-ai-background);
  border: 1px solid var(--meet-ai-border);
  border-radius: 12px;
  box-shadow: 0 8px 28px rgb(0 0 0 / .3);
  z-index: 3;
  max-block-size: min(18em, 100cqb - 6.5em);
  overflow: hidden auto;
}
.names { padding: .3em }
.names li { display: flex; align-items: center; gap: .6em; padding: .35em .5em; border-radius: 8px; cursor: pointer; overflow-wrap: anywhere }
.names li[aria-selected="true"] { background: var(--meet-ai-surface); box-shadow: inset 2px 0 var(--meet-ai-accent) }
.names .avatar { --size: 2.2em }
.shortcuts { padding: .5em .8em; inset-inline-start: auto; max-block-size: calc(100cqb - 6.5em) }
.shortcuts dl { font-size: .87em }
.shortcuts div { display: flex; gap: 1em; justify-content: space-between; padding-block: .15em }
.shortcuts dt { font-weight: 600 }
.shortcuts dd { color: var(--meet-ai-muted); text-align: end }
@media (pointer: coarse) {
  .names li { min-block-size: 44px }
  .field { padding-block: 0 }
  .field textarea { padding-block: .65em }
  .room .help { margin-block: -.6em }
}
@container meet-ai (inline-size < 416px) {
  .hint { display: none }
}
@media (forced-colors: active) {
  .field:focus-within { outline: 2px solid Highlight }
  .send[aria-disabled="true"] { color: GrayText; border-color: GrayText }
  .names li[aria-selected="true"] { outline: 2px solid Highlight; outline-offset: -2px }
}
`;
