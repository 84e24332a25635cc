/** What a planted bug is: a change to the source that a named test has to notice. */

/** One place of the source that is changed. `find` stands there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A test by its project, its file and its full name, or a piece of it. */
export interface Witness {
  readonly project: "unit" | "runtime" | "browser" | "processes";
  readonly file: string;
  readonly test: string;
}

export interface PlantedBug {
  readonly name: string;
  /** Which of the design's promises, by its number, or what else is not kept. */
  readonly breaks:
    | number
    | "keys"
    | "quotas"
    | "deletion"
    | "reading"
    | "writing"
    | "backup"
    | "import"
    | "retention"
    | "moderation"
    | "asks"
    | "bridge"
    | "operator";
  readonly edits: readonly Edit[];
  readonly caughtBy: readonly Witness[];
}

export const MODEL: Witness = {
  project: "runtime",
  file: "test/runtime/model.test.ts",
  test: "does what the model of a room does, whatever happens to it",
};

/** A test of `file`, which stands beside what it tests, without its `.test.ts`. */
export const unit = (file: string, test: string): Witness => ({ project: "unit", file: `${file}.test.ts`, test });

export const browser = (file: string, test: string): Witness => ({ project: "browser", file: `${file}.test.ts`, test });

export const runtime = (name: string, test: string): Witness => ({
  project: "runtime",
  file: `test/runtime/${name}.test.ts`,
  test,
});
