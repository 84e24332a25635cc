import type { Bench } from "./outcome.ts";
import type { Results } from "./report.ts";
export async function writeDocs(_b: readonly Bench[], _r: Results): Promise<void> {}
