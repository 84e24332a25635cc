/** Promises whose refusal may go unheard, and waiting that ends early. */

/** A promise, and what settles it. Those who do not wait hear of a refusal by an event: it is not an unhandled one. */
export function withResolvers<Value>(): PromiseWithResolvers<Value> {
  const resolvers = Promise.withResolvers<Value>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

/**
 * What `work` comes to, or the signal's reason if that is aborted first: then `stop` is called. What `work` does goes on.
 */
export function unlessAborted<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
  stop = () => {},
): Promise<Value> {
  if (!signal) return work;
  const { promise, resolve, reject } = withResolvers<Value>();
  const abort = () => {
    reject(signal.reason);
    stop();
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}
