/** Objects as others call them, with something around each call. */

/** One call of an object: `name` is the object's, `method` is `fetch` for an upgrade. */
export interface ObjectCall {
  readonly name: string;
  readonly method: string;
}

/** What happens around a call; it makes the call itself. */
export type AroundCall = (call: ObjectCall, run: () => unknown) => unknown;

/** A namespace whose objects are only called through `around`. */
export function withCallsThrough<Class extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<Class>,
  around: AroundCall,
): DurableObjectNamespace<Class> {
  const wrap = (stub: DurableObjectStub<Class>): DurableObjectStub<Class> =>
    new Proxy(stub, {
      get(target, method) {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== "function" || typeof method !== "string") return value;
        return (...args: unknown[]) =>
          around({ name: target.name ?? target.id.toString(), method }, () => Reflect.apply(value, target, args));
      },
    });
  return new Proxy(namespace, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (name === "get" || name === "getByName") {
        return (...args: unknown[]) => wrap(call(...args) as DurableObjectStub<Class>);
      }
      return call;
    },
  });
}
