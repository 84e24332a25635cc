/** An outcome as text: for the terminal, and as Markdown for the documentation. */

import type { Figure, Outcome, Row, Target, Unit } from "./outcome.ts";

/** Everything that one run has measured. */
export interface Results {
  readonly startedAt: string;
  readonly rounds: number;
  readonly machine: import("./machine.ts").Machine;
  readonly benches: Readonly<Record<string, Outcome>>;
}

/** A table with a line for each system, whose columns are the figures that these have. */
export function table(rows: readonly Row[]): string[][] {
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const situated = rows.some(({ situation }) => situation !== undefined);
  const limited = rows.some(({ limits }) => limits !== undefined);
  return [
    ["", ...(situated ? ["situation"] : []), ...names, ...(limited ? ["limit"] : [])],
    ...rows.map((row) => [
      row.system,
      ...(situated ? [row.situation ?? ""] : []),
      ...names.map((name) => (row.faults.length > 0 ? "" : formatFigure(row.figures[name]))),
      ...(limited ? [[...new Set(row.limits)].join(", ")] : []),
    ]),
  ];
}

export function targetLine({ what, wanted, sense, unit, reached, met }: Target): string {
  const miss = met ? "" : `, missed by ${formatNumber(Math.abs(reached / wanted - 1) * 100)} %`;
  return `${what}: ${format(reached, unit)} (${sense} ${format(wanted, unit)}${miss})`;
}

/** Columns under each other. */
export function toText(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

/** A table of Markdown; the first `texts` columns are words and stand at the left. */
export function toMarkdown(cells: readonly (readonly string[])[], texts = 1): string {
  const [head = [], ...body] = cells;
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const rule = head.map((_, column) => (column < texts ? "---" : "---:"));
  return [line(head), line(rule), ...body.map(line)].join("\n");
}

/** Nobody reads a difference of less than a hundredth. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function format(value: number, unit: Unit): string {
  if (unit === "×") return `${formatNumber(value)}×`;
  if (unit === "number") return formatNumber(value);
  return unit === "/s" ? `${formatNumber(value)}/s` : `${formatNumber(value)} ${unit}`;
}

function formatFigure(figure: Figure | undefined): string {
  if (!figure) return "";
  const { median, least, most, unit } = figure;
  // Nothing, every time, has no spread.
  const spread = median === 0 ? 0 : Math.max(most - median, median - least) / Math.abs(median);
  // The column's name says what is a number of messages or of deliveries.
  const shown = unit === "/s" || unit === "messages" ? formatNumber(median) : format(median, unit);
  return spread >= 0.005 ? `${shown} ±${Math.round(spread * 100)} %` : shown;
}
