import { css } from "lit";

/**
 * How a message's text looks: calm, close-set, everything inside its own box. Colours come from the room's
 * `--meet-ai-*` properties; the fallbacks are those of a room on its own, in both color schemes.
 *
 * It is adopted after the room's own sheet, which resets elements by `.room p`: each rule for such an element here names
 * a class and an element too, so that it counts.
 */
export const proseStyles = css`
  .prose {
    /* A stack of combining marks, or a word without an end, stays inside its own message. */
    overflow: clip;
    overflow-clip-margin: 3px;
    overflow-wrap: anywhere;
    color: var(--meet-ai-text, light-dark(#1b1f27, #e7eaf0));
    line-height: 1.5;
    /* Between the page and its panels, whatever their colours are. */
    --code-background: color-mix(
      in srgb,
      var(--meet-ai-surface, light-dark(#eef1f6, #1c212b)) 60%,
      var(--meet-ai-background, light-dark(#fff, #0f1115))
    );
  }
  .prose > :is(p, h3, ul, ol, blockquote, figure, hr, div) {
    margin-block: 0.5em;
  }
  .prose > :first-child {
    margin-block-start: 0;
  }
  .prose > :last-child {
    margin-block-end: 0;
  }

  /*
   * Each text runs in its own direction; the sides of lists and quotes follow the block's. A block is as wide as its text,
   * so that one in another direction than the room's stands where all others do: beside its sender.
   */
  .prose > :is(p, h3, ul, ol, blockquote, .table) {
    inline-size: fit-content;
    max-inline-size: 100%;
  }
  .prose :is(p, li, h3, td, th, label) {
    unicode-bidi: plaintext;
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  .prose > :is(p, h3) {
    text-align: start;
  }
  .prose a {
    unicode-bidi: plaintext;
  }
  .prose :is(code, .mention) {
    direction: ltr;
    unicode-bidi: isolate;
  }
  .prose :is(p, li, h3, td, th) {
    white-space: pre-wrap;
  }

  /* Headings are titles of a paragraph here, not of a page. */
  .prose h3 {
    font-size: 1em;
    font-weight: 600;
    line-height: 1.35;
  }
  .prose .heading-1 {
    font-size: 1.2em;
  }
  .prose .heading-2 {
    font-size: 1.1em;
  }
  .prose :is(.heading-4, .heading-5, .heading-6) {
    color: var(--meet-ai-muted, light-dark(#5b6474, #9aa4b6));
  }
  .prose > h3 {
    margin-block: 0.9em 0.2em;
  }
  .prose > h3 + * {
    margin-block-start: 0.2em;
  }

  .prose strong {
    font-weight: 600;
  }
  .prose a {
    color: var(--meet-ai-accent, light-dark(#2353c4, #8ab4ff));
    text-decoration: underline;
    text-decoration-thickness: 1px;
    text-underline-offset: 0.15em;
  }
  .prose a:hover {
    text-decoration-thickness: 2px;
  }
  .prose :is(a, button, pre, .table):focus-visible {
    outline: 2px solid var(--meet-ai-accent, light-dark(#2353c4, #8ab4ff));
    outline-offset: 1px;
    border-radius: 3px;
  }
  .prose a.image::before {
    content: "";
    display: inline-block;
    inline-size: 0.8em;
    block-size: 0.65em;
    margin-inline-end: 0.35em;
    border: 1.5px solid currentColor;
    border-radius: 2px;
    background: linear-gradient(135deg, transparent 50%, currentColor 50%) no-repeat center / 100% 100%;
  }

  .prose .mention {
    padding: 0.05em 0.25em;
    border-radius: 4px;
    font-weight: 600;
    background: var(--meet-ai-surface, light-dark(#eef1f6, #252b37));
  }
  .prose .mention.me {
    color: var(--meet-ai-mention-text, light-dark(#4d3800, #ffe2a3));
    background: var(--meet-ai-mention, light-dark(#ffe9b0, #4f3d10));
    font-weight: 600;
  }

  .prose :is(ul, ol) {
    margin-inline: 0;
    padding-inline-start: 1.6em;
  }
  .prose ul {
    list-style: disc;
  }
  .prose ul ul {
    list-style: circle;
  }
  .prose ol {
    list-style: decimal;
  }
  /* Room for a number, its dot, and the gap after it, which Safari makes the widest. */
  .prose [class^="digits-"] {
    padding-inline-start: calc(var(--digits) * 1ch + 1em);
  }
  .prose .digits-2 {
    --digits: 2;
  }
  .prose .digits-3 {
    --digits: 3;
  }
  .prose .digits-4 {
    --digits: 4;
  }
  .prose .digits-5 {
    --digits: 5;
  }
  .prose .digits-6 {
    --digits: 6;
  }
  .prose .digits-7 {
    --digits: 7;
  }
  .prose .digits-8 {
    --digits: 8;
  }
  .prose .digits-9 {
    --digits: 9;
  }
  .prose .digits-10 {
    --digits: 10;
  }
  .prose li > :is(ul, ol) {
    margin-block: 0.15em;
  }
  .prose li + li {
    margin-block-start: 0.15em;
  }
  .prose li > :is(p, figure, blockquote) {
    margin-block: 0.5em;
  }
  .prose li::marker {
    color: var(--meet-ai-muted, light-dark(#5b6474, #9aa4b6));
  }
  .prose li.task {
    list-style: none;
    margin-inline-start: -1.4em;
  }
  .prose li.task input {
    margin: 0 0.5em 0 0.1em;
    vertical-align: -0.1em;
  }

  .prose blockquote {
    margin-inline: 0;
    padding-inline-start: 0.8em;
    border-inline-start: 3px solid var(--meet-ai-border, light-dark(#d5dae3, #363e4d));
    color: var(--meet-ai-muted, light-dark(#5b6474, #9aa4b6));
  }
  .prose blockquote > * + * {
    margin-block-start: 0.5em;
  }
  .prose hr {
    border: 0;
    border-block-start: 1px solid var(--meet-ai-border, light-dark(#d5dae3, #363e4d));
    margin-block: 0.9em;
  }

  .prose code {
    padding: 0.1em 0.3em;
    border-radius: 4px;
    background: var(--meet-ai-code-background, var(--code-background));
    font: 0.9em / 1.45 var(--meet-ai-code-font, ui-monospace, "SF Mono", "Cascadia Code", Consolas, monospace);
  }
  .prose figure.code {
    margin-inline: 0;
    border: 1px solid var(--meet-ai-border, light-dark(#d5dae3, #363e4d));
    border-radius: 8px;
    background: var(--meet-ai-code-background, var(--code-background));
    overflow: clip;
  }
  .prose figcaption {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 0.75em;
    padding: 0.2em 0.3em 0.2em 0.8em;
    border-block-end: 1px solid var(--meet-ai-border, light-dark(#d5dae3, #363e4d));
    color: var(--meet-ai-muted, light-dark(#5b6474, #9aa4b6));
    font-size: 0.8em;
    -webkit-user-select: none;
    user-select: none;
  }
  /* Code without a language has no title bar: the button lies over its corner. */
  .prose figure.code:has(.code-info:empty) {
    position: relative;
  }
  .prose figure.code:has(.code-info:empty) figcaption {
    position: absolute;
    inset-block-start: 0.15em;
    inset-inline-end: 0.15em;
    padding: 0.1em;
    border: 0;
    background: inherit;
  }
  .prose button.code-copy,
  .prose + button.fold-toggle {
    min-block-size: 24px;
    padding: 0.15em 0.6em;
    border: 0;
    border-radius: 5px;
    background: none;
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  .prose button.code-copy {
    flex: none;
  }
  .prose button.code-copy:hover,
  .prose + button.fold-toggle:hover {
    background: var(--meet-ai-surface, light-dark(#e6eaf1, #252b37));
    color: var(--meet-ai-text, light-dark(#1b1f27, #e7eaf0));
  }
  .prose pre {
    margin: 0;
    padding: 0.7em 0.8em;
    /* Sideways only: a scroller inside the log would hide the end of code that is being written. */
    overflow-x: auto;
    overscroll-behavior-x: contain;
    tab-size: 4;
  }
  .prose pre code {
    display: block;
    inline-size: max-content;
    padding: 0;
    background: none;
    white-space: pre;
    overflow-wrap: normal;
  }

  .prose .token-keyword {
    color: var(--meet-ai-code-keyword, light-dark(#a3216b, #ff9dc6));
  }
  .prose .token-string {
    color: var(--meet-ai-code-string, light-dark(#1a6b3c, #93dba8));
  }
  .prose .token-comment {
    color: var(--meet-ai-code-comment, light-dark(#616b7b, #8f9aad));
    font-style: italic;
  }
  .prose .token-class {
    color: var(--meet-ai-code-type, light-dark(#8a4600, #f5bf7a));
  }
  .prose :is(.token-property, .token-entity) {
    color: var(--meet-ai-code-name, light-dark(#2353c4, #9cc0ff));
  }
  .prose .token-diff-add {
    color: var(--meet-ai-code-string, light-dark(#1a6b3c, #93dba8));
  }
  .prose .token-diff-remove {
    color: var(--meet-ai-code-removed, light-dark(#b3261e, #ff9189));
  }
  .prose .token-diff-hunk {
    color: var(--meet-ai-code-name, light-dark(#2353c4, #9cc0ff));
  }
  .prose .token-diff-meta {
    font-weight: 600;
  }

  .prose .table {
    overflow-x: auto;
    overscroll-behavior-x: contain;
  }
  .prose table {
    border-collapse: collapse;
    font-size: 0.95em;
    font-variant-numeric: tabular-nums;
  }
  .prose :is(th, td) {
    min-inline-size: 3em;
    max-inline-size: 32em;
    padding: 0.3em 0.7em;
    border: 1px solid var(--meet-ai-border, light-dark(#d5dae3, #363e4d));
    vertical-align: top;
    overflow-wrap: break-word;
  }
  .prose th {
    font-weight: 600;
    background: var(--meet-ai-surface, light-dark(#eef1f6, #1c212b));
  }
  .prose .align-center {
    text-align: center;
  }
  .prose .align-end {
    text-align: end;
  }

  /* Where the next words of a message that is being written will come. Not read aloud. */
  .prose.unfinished:empty::after,
  .prose.unfinished > :is(p, h3):last-child::after,
  .prose.unfinished > blockquote:last-child > p:last-child::after,
  .prose.unfinished > :is(ul, ol):last-child > li:last-child:not(:has(p, ul, ol))::after,
  .prose.unfinished > figure:last-child code::after {
    content: "▍";
    content: "▍" / "";
    color: var(--meet-ai-accent, light-dark(#2353c4, #8ab4ff));
    margin-inline-start: 0.1em;
  }

  .prose.folded {
    max-block-size: 22em;
    overflow: hidden;
    mask-image: linear-gradient(to bottom, #000 calc(100% - 4em), transparent);
  }
  .prose + button.fold-toggle {
    margin-block-start: 0.25em;
    margin-inline-start: -0.6em;
    color: var(--meet-ai-accent, light-dark(#2353c4, #8ab4ff));
    font-size: 0.87em;
    -webkit-user-select: none;
    user-select: none;
  }
  .prose + button.fold-toggle:focus-visible {
    outline: 2px solid var(--meet-ai-accent, light-dark(#2353c4, #8ab4ff));
  }

  @media (pointer: coarse) {
    .prose button.code-copy,
    .prose + button.fold-toggle {
      min-block-size: 44px;
      min-inline-size: 44px;
    }
    .prose figcaption {
      padding-block: 0;
    }
    /* No lower than the button over its corner. */
    .prose figure.code:has(.code-info:empty) {
      min-block-size: calc(44px + 0.5em);
    }
  }

  @media (forced-colors: active) {
    .prose button.code-copy,
    .prose + button.fold-toggle {
      border: 1px solid;
    }
    .prose .mention.me {
      outline: 1px solid;
    }
    .prose.folded {
      mask-image: none;
    }
  }
`;
