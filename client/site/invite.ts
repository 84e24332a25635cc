/** The invite in the page's address: its secret leaves the address bar and the tab's history at once, and goes nowhere else. */

import { inviteIn } from "../stay/invite.ts";

/** Takes the secret of an invite out of the page's address; `undefined` where there is none. */
export function takeInvite(): string | undefined {
  const invite = inviteIn(location.href);
  if (invite === undefined) return undefined;
  const rest = location.hash
    .slice(1)
    .split("&")
    .filter((part) => !part.startsWith("invite="))
    .join("&");
  history.replaceState(history.state, "", `${location.pathname}${location.search}${rest && `#${rest}`}`);
  return invite;
}
