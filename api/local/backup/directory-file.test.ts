/** The directory's file: whole, or refused. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DirectoryRecord } from "../../format/records.ts";
import { directoryHeader, directoryPath, readDirectoryFile, writeDirectoryFile } from "./directory-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/meet-ai-directory-`);
});
afterEach(() => rmSync(folder, { recursive: true }));

const SECRET: DirectoryRecord = { type: "secret", name: "guest_pepper", value: "pepper" };

async function* some(...records: object[]) {
  yield* records as DirectoryRecord[];
}

async function all(): Promise<DirectoryRecord[]> {
  const found: DirectoryRecord[] = [];
  for await (const record of readDirectoryFile(folder)) found.push(record);
  return found;
}

describe("the directory's file", () => {
  it("has the records that were written, and is its user's alone", async () => {
    await writeDirectoryFile(folder, true, some(SECRET, { type: "weather" }));
    expect(await all()).toEqual([SECRET]);
    expect(await directoryHeader(folder)).toMatchObject({ version: 3, complete: true });
    expect(statSync(directoryPath(folder)).mode & 0o777).toBe(0o600);
  });

  it("stays as it is when what it is written from breaks off", async () => {
    await writeDirectoryFile(folder, true, some(SECRET));
    async function* broken() {
      yield SECRET;
      throw new Error("broken off");
    }
    await expect(writeDirectoryFile(folder, true, broken())).rejects.toThrow("broken off");
    expect(await all()).toEqual([SECRET]);
  });

  it("is refused when a byte of it is another, or when its end is missing", async () => {
    await writeDirectoryFile(folder, true, some(SECRET));
    const text = readFileSync(directoryPath(folder), "utf8");
    writeFileSync(directoryPath(folder), text.replace('"pepper"', '"popper"'));
    await expect(all()).rejects.toThrow("is damaged");
    writeFileSync(directoryPath(folder), text.slice(0, -5));
    await expect(all()).rejects.toThrow("is not whole");
    writeFileSync(directoryPath(folder), text.replace('"version":3', '"version":9'));
    await expect(directoryHeader(folder)).rejects.toThrow("version 9");
    writeFileSync(directoryPath(folder), "{}\n");
    await expect(directoryHeader(folder)).rejects.toThrow("is not a backup");
  });

  it("names no file elsewhere", async () => {
    await writeDirectoryFile(folder, true, some({ type: "room", id: "../../etc/passwd" }));
    await expect(all()).rejects.toThrow('"../../etc/passwd" in the directory is no room\'s id');
  });
});
