/**
 * Messages of the greatest length that make one Markdown parser or another take time by the square of that length, or
 * overflow its stack. Shared by the tests of the renderer and by its benchmark.
 */

/** As long as a message may be, in bytes; all but a few of these texts are ASCII. */
const SIZE = 16_384;

const fill = (piece: string, size = SIZE): string => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
const halves = (opening: string, closing: string): string => fill(opening, SIZE / 2) + fill(closing, SIZE / 2);
const rising = (mark: string, between = " "): string => {
  let text = "";
  for (let length = 1; text.length < SIZE; length++) text += mark.repeat(length) + between;
  return text.slice(0, SIZE);
};
const indented = (line: string): string =>
  Array.from({ length: 178 }, (_, depth) => " ".repeat(depth) + line)
    .join("\n")
    .slice(0, SIZE);

/** By what they are made of. */
export const ADVERSARIES: Readonly<Record<string, string>> = {
  "quotes in quotes": fill("> "),
  "quotes in quotes, without spaces": fill(">"),
  "many quoted lines": fill(">a\n"),
  "as many quoted lines as are parsed": fill("> aaaaaaaa\n"),
  "deeper quotes on each line": rising(">", "a\n"),
  "lists in lists": fill("- "),
  "numbered lists in lists": fill("1. "),
  "lists and quotes in turn": fill("> - "),
  "a deep list, then empty lines": fill("- ", 4_000) + fill("\n", SIZE - 4_000),
  "a deep list by indentation": indented("- a"),
  "a deep list of numbers by indentation": indented("1. a"),
  "many empty items": fill("-\n"),
  "many items": fill("- a\n"),
  "as many items as are parsed": fill("- aaaaaaaa\n"),
  "as many empty items as are parsed": fill("-\n", 2_980) + fill("a", 8_000),
  "many tasks": fill("- [ ] a\n"),
  "as many tasks as are parsed": fill("- [ ] a\n", 4_000) + fill("a", 8_000),
  "many headings": fill("# a\n"),
  "as many headings as are shown": fill("# a\n", 2_990) + fill("a", 8_000),
  "as many paragraphs as are shown": fill("*aaaaaaaaaaa* aaaaa\n\n"),
  "many rules": fill("---\n\n"),
  "open emphasis": fill("*a "),
  "open and closed emphasis": halves("*a ", "b* "),
  "open and closed strong emphasis": halves("**a ", "b** "),
  "as much nested emphasis as is parsed": fill("*a ", 1_450) + fill("b* ", 1_450) + fill("a ", 13_000),
  "closers that find nothing": fill("a_ "),
  underscores: fill("_a__"),
  "openers of one kind, closers of the other": fill("*a_ "),
  "stars only": fill("*"),
  "stars in growing runs": rising("*", "a"),
  "emphasis over quoted lines": halves("> *a\n", "> b*\n"),
  "nested emphasis over quoted lines": halves("> *aaaaaaaaa\n", "> bbbbbbbbb*\n"),
  "strong emphasis over all quoted lines": `> **a\n${fill("> bbbbbbbb\n", SIZE - 20)}> c**`,
  "small emphases": fill("*a*"),
  tildes: fill("~~a "),
  "open brackets": fill("["),
  "closed brackets": fill("]"),
  "nested brackets": halves("[", "]"),
  "brackets after stars": fill("*]"),
  "escaped brackets": fill("\\*]"),
  "nested images": halves("![", "](a)"),
  "nested images that name hosts": halves("![", "a.ex](https://b.ex)"),
  "links without an end": fill("[a]("),
  "links with an open title": fill('[a](b "'),
  "links with an open angle": fill("[a](<b"),
  links: fill("[a](https://b.ex)"),
  "links with many parentheses": `[a](https://b.ex/${fill("(", SIZE - 20)}`,
  labels: fill("[a][b"),
  definitions: fill("[a]: b\n"),
  "a definition over many lines": fill("[a\n"),
  backticks: fill("`"),
  "backticks in growing runs": rising("`"),
  "open code": fill("`a "),
  "small codes": fill("`a`"),
  "code fences": fill("```\n"),
  "as many fences as are parsed": fill("```\n", 5_990),
  "open fences of growing length": rising("`", "\n"),
  "a fence in a deep quote": `${fill("> ", 60)}\`\`\`\n${fill(`${fill("> ", 60)}a\n`, SIZE - 70)}`,
  "one line of table": fill("|"),
  "a table of small cells": `|a|b|\n|-|-|\n${fill("|c|d|\n", SIZE - 14)}`,
  "as large a table as is shown": `|a|b|\n|-|-|\n${fill("|ccccccccccccc|dddddddddddddd|\n", SIZE - 14)}`,
  "a wide table": `${fill("|a", 8_000)}|\n${fill("|-", 8_000)}|`,
  "what might be a table": fill("a|b\n"),
  "a table's second line": `a|b\n${fill("-|", SIZE - 10)}x`,
  "spaces before a table's second line": `a\n|\n${fill(" ", SIZE - 8)}x`,
  "dashes without pipes": `a|b\n|${fill("-", SIZE - 10)}x`,
  "open tags": fill("<a "),
  tags: fill("<b>x</b>"),
  "open comments": fill("<!--"),
  "open attributes": `<a ${fill('b="', SIZE - 3)}`,
  "processing instructions": fill("<?"),
  declarations: fill("<!A"),
  "open angle addresses": fill("<https://a"),
  "angle addresses": fill("<https://a.ex>"),
  entities: fill("&amp;"),
  "broken entities": fill("&a"),
  "numeric entities": fill("&#9999999;"),
  addresses: fill("https://a.ex "),
  "addresses in addresses": fill("https://"),
  "closing parentheses after an address": `https://a.ex/${fill(")", SIZE - 20)}`,
  "marks after an address": `https://a.ex/${fill("_", SIZE - 20)}`,
  "one long address": `https://a.ex/${fill("a", SIZE - 20)}`,
  "one long name of a host": `www.${fill("a", SIZE - 20)}.b.c`,
  "many www": fill("www."),
  "mail addresses": fill("a@b.ex "),
  "what might be mail": fill("a.a-"),
  "half mail addresses": fill("a@"),
  mentions: fill("@a-b "),
  "mentions without an end": fill("@a-"),
  spaces: `a${fill(" ", SIZE - 2)}b`,
  "spaces at ends of lines": fill("a  \n"),
  tabs: fill("\ta"),
  "empty lines": `a${fill("\n", SIZE - 2)}b`,
  "short lines": fill("a\n"),
  backslashes: fill("\\"),
  breaks: fill("\\\n"),
  "one long word": fill("a"),
  "combining marks": fill("e\u0301\u0302\u0303\u0304", SIZE / 2),
  "marks that change direction": fill("a\u202eb\u2067", SIZE / 3),
  "scripts in turn": fill("aש", 10_900),
  "letters and East Asian ones in turn": fill("a一", 8_000),
  "letters and emoji in turn": fill("a🦊", 9_000),
  families: fill("👨‍👩‍👧‍👦", SIZE / 4),
};

/** Languages whose tokenizers differ from each other. */
export const CODE_LANGUAGES: readonly string[] =
  "js ts jsx css python c rust json diff sh sql html yaml md ruby php lua zig".split(" ");

/** The same for the tokenizers of code. */
export const ADVERSARIAL_CODE: Readonly<Record<string, string>> = {
  spaces: fill(" "),
  quotes: fill('"'),
  "single quotes": fill("'a "),
  templates: fill("`${"),
  comments: fill("/*"),
  slashes: fill("/a"),
  tags: fill("<a "),
  "closed tags": fill("<a></a>"),
  braces: fill("{"),
  "nested braces": halves("{", "}"),
  hashes: fill("#"),
  keys: fill('"a"  '),
  stars: fill("*_"),
  dollars: fill("$("),
  "block comments of Ruby": fill("=begin\n"),
  names: fill("a.b"),
  words: fill("if "),
  brackets: fill("--[["),
  percents: fill("<%"),
};
