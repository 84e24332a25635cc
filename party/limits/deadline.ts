/** Another's answer, or an error when it takes too long: what is away does not always say so. */

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
