/** Deliveries a second over the audience, both axes logarithmic, as an SVG that follows the reader's colour scheme. */

export interface Series {
  readonly name: string;
  /** [connections, deliveries/s], by connections. One point is drawn as a dot, several as a line. */
  readonly points: readonly (readonly [number, number])[];
}

const SIZE = { width: 720, height: 420 };
const PLOT = { left: 72, right: 120, top: 24, bottom: 48 };

/** The first is this project's and is drawn stronger. */
export function chart(series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points);
  const x = scale(
    all.map(([connections]) => connections),
    PLOT.left,
    SIZE.width - PLOT.right,
    "values",
  );
  const y = scale(
    all.map(([, deliveries]) => deliveries),
    SIZE.height - PLOT.bottom,
    PLOT.top,
    "powers",
  );
  const connections = [...new Set(all.map(([value]) => value))].sort((a, b) => a - b);
  const labels = spread(
    series.map(({ points }) => y.at(points.at(-1)?.[1] ?? 1)),
    16,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="Deliveries a second over connections to a room">
<style>
  svg { color: #1f2328; background: #ffffff; font: 12px system-ui, sans-serif; }
  text { fill: currentColor; }
  .grid { stroke: currentColor; stroke-opacity: 0.15; }
  .line { fill: none; stroke: currentColor; stroke-opacity: 0.55; stroke-width: 1.5; }
  .dot { fill: currentColor; fill-opacity: 0.55; }
  .own { stroke: #0969da; stroke-opacity: 1; stroke-width: 3; }
  .own.dot, .own.label { fill: #0969da; fill-opacity: 1; stroke: none; font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3; background: #0d1117; }
    .own { stroke: #58a6ff; }
    .own.dot, .own.label { fill: #58a6ff; }
  }
</style>
${y.ticks.map((value) => horizontal(y.at(value), `${value.toLocaleString("en")}`)).join("\n")}
${connections.map((value) => vertical(x.at(value), value.toLocaleString("en"))).join("\n")}
<text x="${PLOT.left}" y="14">deliveries/s</text>
<text x="${SIZE.width - PLOT.right}" y="${SIZE.height - 10}" text-anchor="end">connections to one room, 4 of which write</text>
${series
  .map(({ name, points }, index) => {
    const own = index === 0 ? " own" : "";
    const places = points.map(([connections, deliveries]) => [round(x.at(connections)), round(y.at(deliveries))]);
    const line = places.length > 1 ? `<polyline class="line${own}" points="${places.join(" ")}"/>` : "";
    const dots = places.map(([cx, cy]) => `<circle class="dot${own}" cx="${cx}" cy="${cy}" r="4"/>`).join("");
    const labelX = round((places.at(-1)?.[0] ?? 0) + 10);
    return `${line}${dots}<text class="label${own}" x="${labelX}" y="${round((labels[index] ?? 0) + 4)}">${name}</text>`;
  })
  .join("\n")}
</svg>
`;
}

/** A logarithmic scale that puts `values`, or the whole powers of ten around them, onto `from` … `to`. */
function scale(values: readonly number[], from: number, to: number, bounds: "values" | "powers") {
  const logs = values.map(Math.log10);
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  const [low, high] = bounds === "powers" ? [Math.floor(least), Math.ceil(most)] : [least, most];
  return {
    at: (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: Math.floor(high - low) + 1 }, (_, index) => 10 ** (low + index)),
  };
}

/** Moves places apart that are closer than `gap`, downwards, in their order. */
function spread(places: readonly number[], gap: number): number[] {
  const spaced = [...places];
  const order = places.map((_, index) => index).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  for (const [position, index] of order.entries()) {
    const above = order[position - 1];
    if (above !== undefined) spaced[index] = Math.max(spaced[index] ?? 0, (spaced[above] ?? 0) + gap);
  }
  return spaced;
}

function horizontal(y: number, label: string): string {
  const line = `<line class="grid" x1="${PLOT.left}" x2="${SIZE.width - PLOT.right}" y1="${round(y)}" y2="${round(y)}"/>`;
  return `${line}<text x="${PLOT.left - 8}" y="${round(y + 4)}" text-anchor="end">${label}</text>`;
}

function vertical(x: number, label: string): string {
  const bottom = SIZE.height - PLOT.bottom;
  const line = `<line class="grid" x1="${round(x)}" x2="${round(x)}" y1="${PLOT.top}" y2="${bottom}"/>`;
  return `${line}<text x="${round(x)}" y="${bottom + 18}" text-anchor="middle">${label}</text>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
