import { css } from "lit";

export const messageStyles = css`
.row {
  display: grid;
  grid-template-columns: 2em minmax(0, 1fr);
  column-gap: .75em;
  position: relative;
  padding: .12em 1.1em;
  contain: layout style;
}
.row.leads { margin-block-start: .65em }
.room .row { outline-offset: -2px }
.gutter { grid-column: 1 }
.body { grid-column: 2; min-inline-size: 0; max-inline-size: 46em }
.head { display: flex; align-items: baseline; flex-wrap: wrap; gap: 0 .5em; line-height: 1.4 }
.sender { font-weight: 600; color: var(--hue); overflow-wrap: anywhere }
.time, .writing { font-size: .8em; color: var(--meet-ai-muted); white-space: nowrap }
.content { overflow-wrap: anywhere; unicode-bidi: isolate }
.content.unrendered { white-space: pre-wrap }
.deleted { color: var(--meet-ai-muted); font-style: italic }
.to-tools { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%) }
`;
