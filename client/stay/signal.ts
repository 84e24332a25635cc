/** Promises whose refusal may go unheard, and waiting that ends early. */

/** A promise, and what settles it. Those who do not wait hear of a refusal by an event: it is not an unhandled one. */
export function withResolvers<Value>(): PromiseWithResolvers<Value> {
  const resolvers = Promise.withResolvers<Value>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

/**
 * What `work` comes to, or the signal's reason if that is aborted first. What `work` does goes on. `leave` is called then, and
 * says whether that was in time: `work` may be settled by now, though nobody has heard of it.
 */
export function unlessAborted<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
  leave: () => boolean = () => true,
): Promise<Value> {
  if (!signal) return work;
  const { promise, resolve, reject } = withResolvers<Value>();
  const abort = () => {
    if (leave()) reject(signal.reason);
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}
