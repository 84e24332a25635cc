import { css } from "lit";

export const peopleStyles = css`
meet-ai-people { display: block; flex: none; inline-size: 16em; border-inline-start: 1px solid var(--meet-ai-border); overflow-y: auto; scrollbar-width: thin; background: var(--meet-ai-background) }
.people { padding: .7em .6em 1em }
.people header { display: flex; align-items: center; justify-content: space-between; padding-inline-start: .5em }
.people .moderate { margin-inline-start: auto }
.people .moderate[aria-pressed="true"] { color: var(--meet-ai-accent) }
.people h3 { font-size: 1em; font-weight: 600 }
.people h4 { font-size: .8em; font-weight: 600; color: var(--meet-ai-muted); padding: .9em .65em .2em }
.number { font-weight: 400; font-variant-numeric: tabular-nums }
.who { display: flex; inline-size: 100%; align-items: center; gap: .55em; padding: .3em .5em; min-inline-size: 0; overflow-wrap: anywhere; line-height: 1.3 }
.who .name { min-inline-size: 0 }
.who small { display: block; color: var(--meet-ai-muted); font-size: .8em }
.people li { display: flex; align-items: center }
.people li .who { flex: 1 }
/* In view wherever in the list it was asked for. */
.people meet-ai-mute { position: sticky; inset-block-start: 0; z-index: 1; padding: .4em .5em; background: var(--meet-ai-background); border-block-end: 1px solid var(--meet-ai-border) }
button.who:hover { background: var(--meet-ai-surface) }
.people .avatar { --size: 2.36em }
.people :is(.nobody, .spectators) { color: var(--meet-ai-muted); font-size: .87em; padding: .8em .5em 0 }
/* The field stays as wide as the log, which the list makes narrower. */
@container meet-ai (inline-size >= 704px) {
  .main:has(meet-ai-people) ~ meet-ai-composer { --margin: max(.8em, (100cqi - 65em) / 2); margin-inline-end: 16em }
}
@container meet-ai (inline-size < 704px) {
  meet-ai-people { position: absolute; inset-block: 0; inset-inline-end: 0; max-inline-size: 85%; z-index: 2; box-shadow: 0 0 30px rgb(0 0 0 / .35) }
}
`;
