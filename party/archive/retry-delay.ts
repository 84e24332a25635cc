/** How long the archive waits before it asks D1 again. Some of it is chance, so that rooms do not all come back together. */

/** After a failure the next try comes after this, doubled each time, in ms. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 60_000;

/** Some part of `delay` between half and the whole of it, by chance. */
export const spread = (delay: number): number => delay * (0.5 + Math.random() / 2);

/** How long to wait after so many failures in a row, ms. */
export const retryDelay = (failures: number): number =>
  spread(Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (failures - 1)));
