/** As much of JSON Schema 2020-12 as `openapi.json` uses; a keyword that it does not know is an error, not a pass. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** What is wrong with `value`, with where; nothing when it is as `schema` says. `document` is where `$ref` leads. */
export function violations(value: unknown, schema: Schema, document: unknown, at = "$"): string[] {
  const check = (rule: string, limit: unknown): string[] => {
    const wrong = (holds: boolean) =>
      holds ? [] : [`${at} is ${JSON.stringify(value)}; ${rule} is ${JSON.stringify(limit)}`];
    const isText = typeof value === "string";
    const isNumber = typeof value === "number";
    const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
    switch (rule) {
      case "description":
      case "default":
        return [];
      case "$ref":
        return violations(value, resolve(document, limit as string) as Schema, document, at);
      case "type":
        return wrong([limit].flat().some((type) => type === typeOf(value) || (type === "number" && isNumber)));
      case "properties":
        return Object.entries(limit as object).flatMap(([name, schema]) => {
          if (!isRecord || !Object.hasOwn(value, name)) return [];
          return violations((value as Record<string, unknown>)[name], schema as Schema, document, `${at}.${name}`);
        });
      case "required":
        return (limit as string[]).flatMap((name) =>
          isRecord && Object.hasOwn(value, name) ? [] : [`${at}.${name} is missing`],
        );
      case "additionalProperties": {
        const known = Object.keys(schema.properties ?? {});
        const more = isRecord ? Object.keys(value).filter((name) => !known.includes(name)) : [];
        return limit === false ? more.map((name) => `${at}.${name} is not described`) : [];
      }
      case "items":
        if (!Array.isArray(value)) return [];
        return value.flatMap((item, index) => violations(item, limit as Schema, document, `${at}[${index}]`));
      case "anyOf": {
        const each = (limit as Schema[]).map((option) => violations(value, option, document, at));
        return each.some((found) => found.length === 0) ? [] : each.flat();
      }
      case "enum":
        return wrong((limit as unknown[]).includes(value));
      case "const":
        return wrong(value === limit);
      case "pattern":
        return wrong(!isText || new RegExp(limit as string, "u").test(value));
      case "format":
        return wrong(limit === "date-time" && (!isText || new Date(value).toISOString() === value));
      case "minimum":
        return wrong(!isNumber || value >= (limit as number));
      case "maximum":
        return wrong(!isNumber || value <= (limit as number));
      case "minLength":
        return wrong(!isText || [...value].length >= (limit as number));
      case "maxLength":
        return wrong(!isText || [...value].length <= (limit as number));
      case "maxItems":
        return wrong(!Array.isArray(value) || value.length <= (limit as number));
      default:
        return [`${at}: the keyword ${rule} is not known here`];
    }
  };
  return Object.entries(schema).flatMap(([rule, limit]) => check(rule, limit));
}

/** What stands at a `#/…` pointer. */
export function resolve(document: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((found, name) => {
      const next = (found as Record<string, unknown> | undefined)?.[name];
      if (next === undefined) throw new Error(`${pointer} leads nowhere`);
      return next;
    }, document);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
