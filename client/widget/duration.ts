/** A length of time, ms, as the language writes it: "49 minutes". */
export function duration(length: number, language: string): string {
  const minutes = Math.max(1, Math.round(length / 60_000));
  const [unit, size] =
    minutes < 120 ? (["minute", 1] as const) : minutes < 2880 ? (["hour", 60] as const) : (["day", 1440] as const);
  const format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" });
  return format.format(Math.round(minutes / size));
}
