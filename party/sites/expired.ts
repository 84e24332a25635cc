/** What is said where the time of a site's token is over: when it comes, and when it was let in before. */

import { fault } from "../protocol.ts";

export const EXPIRED = fault("unauthorized", "This token has expired: come back with a new one.");
