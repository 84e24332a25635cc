/** The names of the Limiter's objects: the one place where they are made. */

/** The Limiter of the person with this id. */
export const personName = (id: string): string => `person:${id}`;

/** The Limiter of a client address, in the form in which it is counted. */
export const addressName = (address: string): string => `address:${address}`;

/** The Limiter of a site: what its users do together, and in which rooms they are. */
export const siteName = (site: string): string => `site:${site}`;

/** The Limiter of a site's user, by what the site calls them. */
export const subjectName = (site: string, subject: string): string => `subject:${site}/${subject}`;

/** The site of a Limiter that is a site's user's; `undefined` for any other. */
export const siteOfSubject = (principal: string): string | undefined => /^subject:([^/]+)\//.exec(principal)?.[1];

/** The operator's Limiter, which only counts. The sender of the operator's deletions has the same name. */
export const OPERATOR = "operator";

/** The pointer of the key with this SHA-256 in hex. In the first version: the key's Limiter. */
export const keyName = (hash: string): string => `key:${hash}`;
