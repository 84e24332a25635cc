import { css } from "lit";

export const askStyles = css`
.ask { max-inline-size: 34em; overflow-wrap: anywhere; margin-block: .35em .5em; padding: .6em .7em; border: 1px solid var(--meet-ai-border); border-radius: 12px; background: var(--meet-ai-surface) }
.options { display: flex; flex-wrap: wrap; gap: .45em; margin-block-end: .45em }
.room .options > * { padding: .35em .9em; max-inline-size: 100%; font-weight: 600; border: 1px solid var(--meet-ai-border); border-radius: 9px; background: var(--meet-ai-background) }
.room .options > span { color: var(--meet-ai-muted); font-weight: 400; border-style: dashed; background: none }
.room .options button:not([aria-disabled="true"]) { color: var(--meet-ai-accent); border-color: currentColor }
.room .options button:not([aria-disabled="true"]):hover, .room .options button[aria-pressed] { color: var(--meet-ai-on-accent); background: var(--meet-ai-accent); border-color: transparent }
.room .options [aria-disabled="true"] { cursor: default; color: var(--meet-ai-muted) }
.terms, .decided { font-size: .8em; color: var(--meet-ai-muted) }
.room .terms a { color: var(--meet-ai-accent); font-weight: 600; text-underline-offset: 3px }
.terms .failed { color: var(--meet-ai-danger) }
.decided { font-size: .93em }
.decided strong { color: var(--meet-ai-text) }
.room .decided button { padding: .1em .2em; color: inherit; text-decoration: underline; text-underline-offset: 3px }
@media (forced-colors: active) {
  .room .options button[aria-pressed] { forced-color-adjust: none; color: HighlightText; background: Highlight }
  .room .options [aria-disabled="true"]:not([aria-pressed]) { color: GrayText; border-color: GrayText }
}
`;
