/** The OpenMetrics text format: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md */

export const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Something that is measured, with what it was at this moment, for each set of labels. */
export interface Gauge {
  readonly name: string;
  /** As the specification has it, `bytes` or `seconds`; the name ends with it. */
  readonly unit?: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The text of `gauges`. One without samples is left out. */
export function openMetrics(gauges: readonly Gauge[]): string {
  const lines = gauges
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, unit, help, samples }) => [
      `# TYPE ${name} gauge`,
      ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
      `# HELP ${name} ${escaped(help)}`,
      ...samples.map(({ value, labels = {} }) => `${name}${labelsOf(labels)} ${value}`),
    ]);
  return `${[...lines, "# EOF"].join("\n")}\n`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return written.length === 0 ? "" : `{${written.join(",")}}`;
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
