/** The address that `HOST` names. */

import { isIP } from "node:net";
import { end } from "./end.ts";

const NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

/** `HOST`, or `localhost`: a name, or an address of this machine. Ends the process with a line that says why when it is neither. */
export function hostFromEnvironment(): string {
  const host = process.env.HOST ?? "localhost";
  if (isIP(host) !== 0 || NAME.test(host)) return host;
  return end(`HOST must be a name or an address of this machine, such as 127.0.0.1 or 0.0.0.0, not "${host}".`);
}
