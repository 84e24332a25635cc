/** Waiting that ends early. */

/**
 * What `work` comes to, or the signal's reason if that is aborted first: then `stop` is called. What `work` does goes on. Its
 * refusal is not an unhandled one, as that of `work` is not.
 */
export function unlessAborted<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
  stop = () => {},
): Promise<Value> {
  if (!signal) return work;
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  promise.catch(() => {});
  const abort = () => {
    reject(signal.reason);
    stop();
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}
