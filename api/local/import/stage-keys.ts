/** The previous server's keys, made sound. Each goes on working by its hash; its person keeps the handle, if that can be kept. */

import { isReservedName } from "../../../party/identity/agent-name.ts";
import { isHandle } from "../../../party/identity/handle.ts";
import { handleFrom, idFrom } from "./names.ts";
import type { Finding } from "./rules.ts";
import { gapFinding, isGap, type SourceFile, type SourceRow } from "./source-file.ts";
import { type Encoding, type SourceValue, textOf } from "./source-value.ts";
import type { Staging } from "./staging.ts";
import { parseTime } from "./times.ts";

/** A key that the server has already. */
export interface KnownKey {
  readonly id: string;
  readonly hash: string;
  readonly handle: string;
}

const HASH = /^[0-9a-f]{64}$/;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

type KeyRow = SourceRow<"id" | "key_hash" | "handle" | "created_at" | "last_used">;

interface Candidate {
  readonly row: KeyRow;
  readonly hash: string;
  /** As it stands in the file, and under messages. */
  readonly raw: string;
}

/**
 * Stages all keys. `known` are those that the server has: a key that is there already stays as it is there, and nobody
 * gets a handle that is taken there.
 */
export function stageKeys(source: SourceFile, staging: Staging, known: Iterable<KnownKey>, now: number): void {
  staging.transaction(() => {
    new KeyStage(source, staging, now).run(known);
    staging.mark("stage", "rooms");
  });
}

class KeyStage {
  readonly #source: SourceFile;
  readonly #staging: Staging;
  readonly #now: number;

  constructor(source: SourceFile, staging: Staging, now: number) {
    this.#source = source;
    this.#staging = staging;
    this.#now = now;
  }

  run(known: Iterable<KnownKey>): void {
    this.#staging.run(`CREATE TEMP TABLE IF NOT EXISTS known (id TEXT PRIMARY KEY, hash TEXT, handle TEXT)`);
    this.#staging.run("CREATE INDEX IF NOT EXISTS temp.known_by_hash ON known (hash)");
    this.#staging.run("CREATE INDEX IF NOT EXISTS temp.known_by_handle ON known (handle)");
    this.#staging.run("DELETE FROM temp.known");
    for (const { id, hash, handle } of known) {
      this.#staging.run("INSERT INTO temp.known VALUES (?, ?, ?)", id, hash, handle);
    }
    // Handles that can stay are given away first: nobody loses theirs to one that only reads the same afterwards.
    this.#read((candidate) => {
      if (canStay(candidate.raw)) this.#place(candidate);
    }, "told");
    this.#read((candidate) => {
      if (!canStay(candidate.raw)) this.#place(candidate);
    }, "silent");
  }

  #read(take: (candidate: Candidate) => void, findings: "told" | "silent"): void {
    const tell = (finding: Omit<Finding, "table">) => {
      if (findings === "told") this.#staging.add({ table: "api_keys", ...finding });
    };
    let read = 0;
    for (const item of this.#source.read("api_keys")) {
      if (isGap(item)) {
        tell(gapFinding("api_keys", item));
        continue;
      }
      this.#staging.mark("keys read", String(++read));
      const { rowid } = item;
      const hash = hashOf(item.values.key_hash, this.#encoding);
      if (!item.isPlaced) tell({ kind: "misplaced-row", rowid });
      if (!hash) tell({ kind: "key-without-hash", rowid, was: this.#text(item.values.handle) });
      if (!hash) continue;
      if (hash.isChanged) tell({ kind: "key-hash-form", rowid });
      take({ row: item, hash: hash.hex, raw: this.#text(item.values.handle) ?? "" });
    }
  }

  #place({ row, hash, raw }: Candidate): void {
    const tell = (finding: Omit<Finding, "table" | "rowid">) =>
      this.#staging.add({ table: "api_keys", rowid: row.rowid, ...finding });
    if (this.#has("SELECT 1 FROM keys WHERE hash = ?", hash)) {
      tell({ kind: "key-twice", was: raw });
      return;
    }
    const rawId = this.#text(row.values.id) ?? "";
    const there = this.#knownAs(hash, rawId, raw);
    const handle = there?.handle ?? this.#handleFor(raw, tell);
    const id = there?.id ?? this.#idFor(rawId, hash, tell);
    const time = (value: SourceValue, otherwise: number | null) => {
      const at = parseTime(value, this.#encoding, this.#now);
      if (typeof at === "number") return at;
      // A key that was never used has no such time.
      if (at !== "time-missing" || otherwise !== null) tell({ kind: "key-time", was: this.#text(value) });
      return otherwise;
    };
    const createdAt = time(row.values.created_at, this.#now);
    const lastUsed = time(row.values.last_used, null);
    const query = "INSERT INTO keys (id, hash, handle, created_at, last_used, is_there) VALUES (?, ?, ?, ?, ?, ?)";
    this.#staging.run(query, id, hash, handle, createdAt, lastUsed, there ? 1 : 0);
    // Of two keys with one handle the first has the messages.
    if (raw !== "") this.#staging.run("INSERT OR IGNORE INTO handles (raw, handle) VALUES (?, ?)", raw, handle);
  }

  #handleFor(raw: string, tell: (finding: Pick<Finding, "kind" | "was" | "is">) => void): string {
    const isTaken = (handle: string) =>
      this.#has("SELECT 1 FROM keys WHERE handle = ?1 UNION SELECT 1 FROM temp.known WHERE handle = ?1", handle);
    if (canStay(raw) && !isTaken(raw)) return raw;
    const handle = handleFrom(raw, isTaken);
    const kind = isReservedName(raw) ? "handle-reserved" : isHandle(raw) ? "handle-taken" : "handle-form";
    tell({ kind, was: raw, is: handle });
    return handle;
  }

  #idFor(raw: string, hash: string, tell: (finding: Pick<Finding, "kind" | "was" | "is">) => void): string {
    const query = "SELECT 1 FROM keys WHERE id = ?1 UNION SELECT 1 FROM temp.known WHERE id = ?1";
    if (KEY_ID.test(raw) && !this.#has(query, raw)) return raw;
    const id = idFrom(hash);
    tell({ kind: "key-id", was: raw, is: id });
    return id;
  }

  /** The key as the server has it already: by its hash, or, where it has been rotated since, by its id and handle. */
  #knownAs(hash: string, rawId: string, raw: string): KnownKey | undefined {
    const query = "SELECT id, hash, handle FROM temp.known WHERE hash = ? OR (id IN (?, ?) AND handle IN (?, ?))";
    return this.#staging.get<KnownKey>(
      query,
      hash,
      rawId,
      idFrom(hash),
      raw,
      handleFrom(raw, () => false),
    );
  }

  get #encoding(): Encoding {
    return this.#source.encoding;
  }

  #has(query: string, value: string): boolean {
    return this.#staging.get(query, value) !== undefined;
  }

  #text(value: SourceValue): string | undefined {
    return textOf(value, this.#encoding)?.text;
  }
}

const canStay = (raw: string): boolean => isHandle(raw) && !isReservedName(raw);

function hashOf(value: SourceValue, encoding: Encoding): { hex: string; isChanged: boolean } | undefined {
  if (value instanceof Uint8Array && value.length === 32)
    return { hex: Buffer.from(value).toString("hex"), isChanged: true };
  const text = textOf(value, encoding)?.text ?? "";
  const hex = text.trim().toLowerCase();
  return HASH.test(hex) ? { hex, isChanged: hex !== text } : undefined;
}
