/** The secret of an invite in the fragment of an address. */
export const inviteIn = (url: string | URL): string | undefined => /#(?:.*&)?invite=([\w-]+)/.exec(String(url))?.[1];
