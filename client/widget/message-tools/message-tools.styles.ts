import { css } from "lit";

export const messageToolsStyles = css`
/* As tall as the message: the buttons of one that is taller than the view stay in view. */
meet-ai-message-tools {
  display: block;
  position: absolute; inset-block: 0; inset-inline-end: 1em; pointer-events: none; z-index: 1 }
.tools {
  position: sticky;
  inset-block-start: 0;
  display: flex;
  padding: 0;
  background: var(--meet-ai-background);
  border: 1px solid var(--meet-ai-border);
  border-radius: 10px;
  box-shadow: 0 2px 8px rgb(0 0 0 / .18);
  pointer-events: auto;
}
.tools button { padding: .18em .35em; color: var(--meet-ai-muted); min-inline-size: 1.9em; min-block-size: 1.8em; text-align: center }
.tools button:hover { color: var(--meet-ai-text); background: var(--meet-ai-surface) }
.tools .report { align-self: center; padding-inline: .7em .3em; font-size: .8em; color: var(--meet-ai-muted) }
.tools .danger { color: var(--meet-ai-danger); font-size: .87em; font-weight: 600; padding-inline: .7em }
`;
