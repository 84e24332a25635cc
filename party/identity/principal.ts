/** The names of principals and of their objects, which are a `Person` or a `Quota`: the one place where they are made. */

/** The person with this id: a `Person`. */
export const personName = (id: string): string => `person:${id}`;

export const isPersonName = (principal: string): boolean => principal.startsWith(personName(""));

/** A client address, in the form in which it is counted: a `Quota`. */
export const addressName = (address: string): string => `address:${address}`;

/** A site: a `Quota` of what its users do together, which knows in which rooms they are. */
export const siteName = (site: string): string => `site:${site}`;

/** A site's user, by what the site calls them: a `Quota`. */
export const subjectName = (site: string, subject: string): string => `subject:${site}/${subject}`;

/** The site of a principal that is a site's user; `undefined` for any other. */
export const siteOfSubject = (principal: string): string | undefined => /^subject:([^/]+)\//.exec(principal)?.[1];

/** The operator: a `Quota`, which only counts. The sender of the operator's deletions has the same name. */
export const OPERATOR = "operator";

/** The pointer of the key with this SHA-256 in hex: a `Person`, as in the first version, in which it counted for the key. */
export const keyName = (hash: string): string => `key:${hash}`;
