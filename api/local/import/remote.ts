/** A Cloudflare account as the place where an import goes. */

import { type AccountOptions, openDatabase } from "../remote/account.ts";
import type { D1OverHttp } from "../remote/d1-over-http.ts";
import type { ImportOptions } from "./run.ts";
import type { Staging } from "./staging.ts";
import { knownKeys } from "./target.ts";

/** What `runImport` is told of an account. Throws `Failure` from there when the account can't be used. */
export function openAccount(account: AccountOptions): Pick<ImportOptions, "knownKeys" | "openTarget"> {
  let db: Promise<D1OverHttp> | undefined;
  const open = (staging: Staging): Promise<D1OverHttp> => {
    const written = {
      load: () => staging.marked("rows today"),
      save: (text: string) => staging.mark("rows today", text),
    };
    db ??= openDatabase(account, written);
    return db;
  };
  return {
    knownKeys: async (staging) => knownKeys(await open(staging)),
    // A room's object is out of reach.
    openTarget: async (staging) => ({
      db: await open(staging),
      objectOf: () => undefined,
      removeObject: () => undefined,
    }),
  };
}
