import { css } from "lit";

export const feedStyles = css`
meet-ai-feed { display: block; flex: 1; min-block-size: 0; position: relative }
/* The scroll keeper anchors; the browser doing so too would move everything twice. */
.scroller { block-size: 100%; overflow: hidden auto; overflow-anchor: none; scrollbar-width: thin }
/* A scroller is a stop of the Tab key in some browsers. */
.room .scroller { outline-offset: -2px }
.rows { display: flex; flex-direction: column; min-block-size: 100%; padding-block: .75em .25em }
.edge { padding: .6em 1em; text-align: center; font-size: .8em; color: var(--meet-ai-muted) }
.day, .unread { display: flex; align-items: center; gap: .8em; padding: 1em 1.1em .4em; font-size: .8em; color: var(--meet-ai-muted) }
.day::before, .day::after, .unread::before { content: ""; flex: 1; border-block-start: 1px solid var(--meet-ai-border) }
.unread { padding-block: .5em .2em; font-weight: 600 }
`;
