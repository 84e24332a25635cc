/** The forms of a text that go with numbers, as the platform knows them for each language. */

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/** Gives the form that `language` uses for a number, with the number in place of its `#`. */
export function plurals(language: string): (count: number, forms: Forms) => string {
  let rules: Intl.PluralRules | undefined;
  return (count, forms) => {
    rules ??= new Intl.PluralRules(language);
    return (forms[rules.select(count)] ?? forms.other).replace("#", String(count));
  };
}
