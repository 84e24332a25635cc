/** The names of the Limiter's objects: the one place where they are made. */

/** The Limiter of the person with this id. */
export const personName = (id: string): string => `person:${id}`;

/** The Limiter of a client address, in the form in which it is counted. */
export const addressName = (address: string): string => `address:${address}`;

/** The operator's Limiter, which only counts. The sender of the operator's deletions has the same name. */
export const OPERATOR = "operator";

/** The pointer of the key with this SHA-256 in hex. In the first version: the key's Limiter. */
export const keyName = (hash: string): string => `key:${hash}`;
