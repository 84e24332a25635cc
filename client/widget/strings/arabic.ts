let plural: Intl.PluralRules | undefined;

/** The form of a noun that goes with a count: Arabic has five. */
export function counted(count: number, one: string, two: string, few: string, many: string): string {
  plural ??= new Intl.PluralRules("ar");
  const rule = plural.select(count);
  if (rule === "one") return one;
  if (rule === "two") return two;
  return `${count} ${rule === "few" ? few : many}`;
}

/** A name as it is, from left to right: else the `~` of a guest would stand at its other end. */
export const isolated = (name: string): string => `\u2068${name}\u2069`;
