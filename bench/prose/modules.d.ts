// The peers are installed only for the benchmark, so the project's type check does not have them.

declare module "dompurify" {
  const purify: { sanitize(html: string): string };
  export default purify;
}

declare module "markdown-it" {
  export default function markdownIt(options: { linkify: boolean; breaks: boolean }): { render(text: string): string };
}

declare module "marked" {
  export const marked: { parse(text: string, options: { async: false; breaks: boolean }): string };
}
