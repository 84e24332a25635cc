/** Another's answer, or an error when it takes too long: what is away does not always say so. */

/** D1 that does not answer within this time counts as away, ms. At a read somebody waits at the door. */
export const READS_WITHIN = 2_000;
const CHANGES_WITHIN = 5_000;

/** D1's answer to `query`, or a rejection when it takes too long: D1 may hang rather than fail. */
export const inTime = <T>(query: string, answer: Promise<T>): Promise<T> =>
  withDeadline(answer, query.startsWith("SELECT") ? READS_WITHIN : CHANGES_WITHIN, "D1");

/** `answer`, or a rejection that names `whose` it was when it has not come within `limit` ms. */
export async function withDeadline<T>(answer: Promise<T>, limit: number, whose: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${whose} did not answer within ${limit} ms.`)), limit);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
