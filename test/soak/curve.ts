/** A figure over time: whether it stays flat, and its curve as an SVG that follows the reader's colour scheme. */

/** A figure that was looked at again and again. */
export interface Curve {
  readonly name: string;
  readonly unit: string;
  /** [minutes since the beginning, figure] */
  readonly points: readonly (readonly [number, number])[];
}

/** A stretch of time, in minutes since the beginning. */
export type Stretch = readonly [from: number, to: number];

/**
 * Whether a curve is flat after its first half, in which caches fill: the median of its last quarter is at most `ratio` of
 * that of the quarter before, or at most `slack` above it, which keeps small figures from being judged by chance.
 */
export function isFlat(
  { points }: Curve,
  { ratio, slack }: { readonly ratio: number; readonly slack: number },
): boolean {
  const figures = points.map(([, figure]) => figure);
  const quarter = Math.floor(figures.length / 4);
  if (quarter === 0) return true;
  const before = median(figures.slice(-2 * quarter, -quarter));
  return median(figures.slice(-quarter)) <= Math.max(before * ratio, before + slack);
}

export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** The figure that a share of all `figures` does not exceed; 0 of none. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const SIZE = { width: 720, height: 240 };
const PLOT = { left: 64, right: 24, top: 32, bottom: 40 };
/** Lines across, and marks along the bottom, at most. */
const LINES = 4;
const MARKS = 10;

/** The curve, with `outages` behind it. */
export function drawn({ name, unit, points }: Curve, outages: readonly Stretch[] = []): string {
  const end = Math.max(1e-9, points.at(-1)?.[0] ?? 0);
  const step = roundedUp(Math.max(1e-9, ...points.map(([, figure]) => figure)) / LINES);
  const bottom = SIZE.height - PLOT.bottom;
  const x = (minutes: number) => places(PLOT.left + (minutes / end) * (SIZE.width - PLOT.left - PLOT.right));
  const y = (figure: number) => places(bottom - (figure / (step * LINES)) * (bottom - PLOT.top));
  const shades = outages.map(([from, to]) => {
    const width = places(x(Math.min(to, end)) - x(from));
    return `<rect class="outage" x="${x(from)}" y="${PLOT.top}" width="${width}" height="${bottom - PLOT.top}"/>`;
  });
  const lines = Array.from({ length: LINES + 1 }, (_, index) => {
    const figure = step * index;
    return `<line class="grid" x1="${PLOT.left}" x2="${SIZE.width - PLOT.right}" y1="${y(figure)}" y2="${y(figure)}"/><text x="${PLOT.left - 8}" y="${y(figure) + 4}" text-anchor="end">${places(figure).toLocaleString("en")}</text>`;
  });
  const every = roundedUp(end / MARKS);
  const marks = Array.from({ length: Math.floor(end / every) + 1 }, (_, index) => {
    const minutes = places(every * index);
    return `<text x="${x(minutes)}" y="${bottom + 18}" text-anchor="middle">${minutes}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${name} over time">
<style>
  svg { color: #1f2328; background: #ffffff; font: 12px system-ui, sans-serif; }
  text { fill: currentColor; }
  .grid { stroke: currentColor; stroke-opacity: 0.15; }
  .outage { fill: currentColor; fill-opacity: 0.08; }
  .curve { fill: none; stroke: #0969da; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3; background: #0d1117; }
    .curve { stroke: #58a6ff; }
  }
</style>
<text x="${PLOT.left}" y="18">${name}, ${unit}</text>
<text x="${SIZE.width - PLOT.right}" y="${SIZE.height - 6}" text-anchor="end">minutes${outages.length > 0 ? "; shaded: D1 takes no writes" : ""}</text>
${[...shades, ...lines, ...marks].join("\n")}
<polyline class="curve" points="${points.map(([minutes, figure]) => `${x(minutes)},${y(figure)}`).join(" ")}"/>
</svg>
`;
}

/** The next larger of 1, 2, 5, 10, 20, 50 … */
function roundedUp(figure: number): number {
  const power = 10 ** Math.floor(Math.log10(figure));
  return power * ([1, 2, 5].find((factor) => factor * power >= figure) ?? 10);
}

const places = (figure: number): number => Math.round(figure * 100) / 100;
