/** A value of the previous server's file, which may be of any type and hold any bytes. */

/** As `SourceFile` reads it: text comes as its bytes, because they may be no valid text. */
export type SourceValue = Uint8Array | bigint | number | null;

export interface DecodedText {
  readonly text: string;
  /** Bytes that are no text have been replaced with U+FFFD. */
  readonly isRepaired: boolean;
}

/** Encodings of an SQLite file, as TextDecoder calls them. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** The text of a value; `undefined` where there is none. Numbers become their digits. */
export function textOf(value: SourceValue, encoding: Encoding): DecodedText | undefined {
  if (value === null) return undefined;
  if (!(value instanceof Uint8Array)) return { text: String(value), isRepaired: false };
  try {
    return { text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(value), isRepaired: false };
  } catch {
    return { text: new TextDecoder(encoding, { ignoreBOM: true }).decode(value), isRepaired: true };
  }
}
