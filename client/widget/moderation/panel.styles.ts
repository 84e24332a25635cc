import { css } from "lit";

export const panelStyles = css`
meet-ai-moderation { display: block; font-size: .93em }
meet-ai-moderation p { padding: .3em .7em; color: var(--meet-ai-muted) }
meet-ai-moderation .failed { color: var(--meet-ai-danger) }
.room meet-ai-moderation li { flex-wrap: wrap; gap: .1em .6em; padding: .3em .7em }
meet-ai-moderation .text { flex-basis: 100%; white-space: pre-wrap; overflow-wrap: anywhere; max-block-size: 12em; overflow-y: auto }
.room meet-ai-moderation li .text { color: var(--meet-ai-text); font-size: 1em }
meet-ai-moderation bdi { overflow-wrap: anywhere; font-weight: 600 }
meet-ai-moderation li span { color: var(--meet-ai-muted); font-size: .87em }
.room meet-ai-moderation button { padding: .2em .55em; font-weight: 600 }
.room meet-ai-moderation button:hover { background: var(--meet-ai-surface) }
`;
