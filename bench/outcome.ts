/** What a bench gives: figures with their spread, and whether they reach what was aimed at. */

/** `number`: a plain one, whose column says what it counts. */
export type Unit = "/s" | "µs" | "ms" | "s" | "bytes" | "MiB" | "rows" | "messages" | "×" | "number";

/** A figure over several rounds. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly unit: Unit;
}

/** One system in one situation. */
export interface Row {
  readonly system: string;
  /** The situation, where a bench has several: "100 subscribers". */
  readonly situation?: string;
  readonly figures: Readonly<Record<string, Figure>>;
  /** Who could not do more, in each round. */
  readonly limits?: readonly string[];
  /** Busy processors, median. */
  readonly processors?: Readonly<Record<string, number>>;
  /** What went wrong. A row with faults shows no figures. */
  readonly faults: readonly string[];
}

export interface Target {
  readonly what: string;
  readonly wanted: number;
  readonly sense: "at least" | "at most";
  readonly unit: Unit;
  readonly reached: number;
  readonly met: boolean;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  /** How often it was measured, where that is known. */
  readonly rounds?: number;
}

export interface BenchOptions {
  /** How often everything is measured; figures are medians over them. */
  readonly rounds: number;
  /** Tells the person who waits what is under way. */
  progress(line: string): void;
}

export interface Bench {
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly work: string;
  /** What a reader must know to read the figures. */
  readonly remarks?: string;
  run(options: BenchOptions): Promise<Outcome>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle)
    ? ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
    : (sorted[Math.floor(middle)] as number);
}

/** The value that `share` of all do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(values.length * share))] as number;
}

export function figure(values: readonly number[], unit: Unit): Figure {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values), unit };
}

export function atLeast(what: string, wanted: number, reached: number, unit: Unit = "×"): Target {
  return { what, wanted, sense: "at least", unit, reached, met: reached >= wanted };
}

export function atMost(what: string, wanted: number, reached: number, unit: Unit = "×"): Target {
  return { what, wanted, sense: "at most", unit, reached, met: reached <= wanted };
}

/** The median of one figure of one system. */
export function medianOf(rows: readonly Row[], system: string, name: string, situation?: string): number {
  const row = rows.find((each) => each.system === system && each.situation === situation && each.faults.length === 0);
  return row?.figures[name]?.median ?? Number.NaN;
}
