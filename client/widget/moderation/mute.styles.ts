import { css } from "lit";

export const muteStyles = css`
meet-ai-mute { display: flex; align-items: center; flex-wrap: wrap; gap: .1em; padding-inline-start: .7em; font-size: .87em; color: var(--meet-ai-muted) }
meet-ai-mute span { overflow-wrap: anywhere }
meet-ai-mute label { display: inline-flex; align-items: center; gap: .4em; padding-inline-end: .5em }
/* Where there is little room, what closes it stands beside the question, and the answers below both. */
.people meet-ai-mute span { inline-size: calc(100% - 3em); order: -2 }
.people meet-ai-mute .close { order: -1 }
@container meet-ai (inline-size < 480px) {
  meet-ai-mute span { inline-size: calc(100% - 3em); order: -2 }
  meet-ai-mute .close { order: -1 }
}
.room meet-ai-mute button { padding: .2em .55em; color: var(--meet-ai-text); font-weight: 600; inline-size: auto }
.room meet-ai-mute button:hover { background: var(--meet-ai-surface) }
.room meet-ai-mute .danger { color: var(--meet-ai-danger) }
`;
