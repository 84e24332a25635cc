/** Shows one state of an element to its page's style sheets, `meet-ai-room:state(open)`, in place of the one before. */
export function showState(internals: ElementInternals | undefined, state: string): void {
  const states = internals?.states;
  if (states?.has(state)) return;
  try {
    states?.clear();
    states?.add(state);
  } catch {
    // Chromium before 125 takes only names that begin with dashes.
  }
}
