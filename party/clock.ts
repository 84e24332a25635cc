/**
 * How old something is by a clock that may be set back: by an operator, by NTP, with a machine that is moved. What was
 * noted before lies in the future then, and would seem young until the clock has caught up, perhaps for hours. Within one
 * request or one object that is awake the runtime's clock never goes back; what isolates remember and what is stored meets it.
 */

/** How many ms have passed since `at`, at `now`. A time that is still to come says nothing: it counts as endlessly long ago. */
export const ageOf = (at: number, now: number): number => (at > now ? Number.POSITIVE_INFINITY : now - at);
