/**
 * A deploy to a Cloudflare account, step by step. Each step may be done again, so a deploy that was cut off is mended by
 * another one. What fails says what to do about it.
 */

import { Failure } from "../failure.ts";
import { answerOf, type Outcome, type Wrangler } from "./wrangler.ts";

export interface DeploymentDeps {
  readonly wrangler: Pick<Wrangler, "show" | "ask">;
  /** The names in wrangler.toml. */
  readonly worker: string;
  readonly database: string;
  /** Domains of one's own; without one it is reached under workers.dev. */
  readonly domains: readonly string[];
  /** Whether it may take the place of a Worker that is something else. */
  readonly mayReplace: boolean;
  say(line: string): void;
}

interface Account {
  readonly id: string;
  readonly name: string;
}

/** Objects whose sockets sleep keep them over a deploy; after so long all run the new code. */
const DEFERRED = ["--durable-objects-code-update-mode", "deferred 300s"] as const;

export class Deployment {
  readonly #deps: DeploymentDeps;

  constructor(deps: DeploymentDeps) {
    this.#deps = deps;
  }

  /** Has wrangler check what would be uploaded. */
  async tryOut(): Promise<void> {
    const { status } = await this.#deps.wrangler.show("deploy", "--dry-run");
    if (status !== 0) throw new Failure("wrangler refuses what would be uploaded; nothing was.");
  }

  /** Whether there is an account to deploy to, and nothing else in the way. Changes nothing. */
  async check(): Promise<void> {
    const { say, worker, database } = this.#deps;
    const account = await this.#account();
    say(`Account   ${account.name} (${account.id})`);
    const isThere = await this.#exists();
    const hasDatabase = (await this.#databases()).includes(database);
    if (isThere && !hasDatabase && !this.#deps.mayReplace) {
      throw new Failure(
        `The account has a Worker "${worker}" already and no database "${database}", so it is something else. Choose another name in wrangler.toml, or put this in its place with --replace.`,
      );
    }
    say(`Worker    ${worker}, ${isThere ? "which is brought up to date" : "which is new"}`);
    say(`Database  ${database}, ${hasDatabase ? "which is there" : "which is made"}`);
    say("Plan      the free one is enough; on the paid one set DATABASE_LIMIT_MB and DAILY_LIMITS in wrangler.toml");
  }

  /** Deploys, and gives the address at which it is reached. */
  async run(): Promise<string> {
    const { wrangler, database, say } = this.#deps;
    const before = await this.#version();
    if (!(await this.#databases()).includes(database)) {
      say(`\n1 of 3: making the database ${database}`);
      done(await wrangler.show("d1", "create", database), "The database was not made, and nothing else was done.");
    }
    say("\n2 of 3: migrations");
    done(
      await wrangler.show("d1", "migrations", "apply", "DB", "--remote"),
      "The migrations were not all applied. What runs goes on: it works with those that were.",
    );
    say("\n3 of 3: the Worker and its pages");
    const deployed = await wrangler.show("deploy", ...(await this.#deferral("deploy")));
    done(deployed, "The Worker was not replaced. What runs goes on, and works with the migrated database.");
    if (before !== undefined) say(`\nBack to the version before (${before}): npm run deploy -- --rollback`);
    return this.#address(deployed);
  }

  /** Serves the version before the one that runs. The database stays as it is. */
  async rollBack(): Promise<void> {
    const { wrangler, say } = this.#deps;
    await this.#account();
    say(
      "The database and the rooms' own tables stay as they are: docs/operations.md says which version can read them.",
    );
    const message = "npm run deploy -- --rollback";
    const deferral = await this.#deferral("rollback");
    done(
      await wrangler.show("rollback", "--yes", "--message", message, ...deferral),
      "The version before is not served; what runs goes on.",
    );
  }

  async #account(): Promise<Account> {
    const answer = answerOf<{ loggedIn: boolean; accounts?: Account[] }>(
      await this.#deps.wrangler.ask("whoami", "--json"),
    );
    if (!answer?.loggedIn) {
      throw new Failure(
        process.env.CLOUDFLARE_API_TOKEN
          ? "Cloudflare does not accept CLOUDFLARE_API_TOKEN: make one from the template “Edit Cloudflare Workers”, and add the permission D1: Edit."
          : "You are not signed in to Cloudflare: run npx wrangler login, or set CLOUDFLARE_API_TOKEN.",
      );
    }
    const { accounts = [] } = answer;
    const named = process.env.CLOUDFLARE_ACCOUNT_ID;
    if (named !== undefined) {
      const account = accounts.find(({ id }) => id === named);
      if (account) return account;
      // A token may be unable to list its accounts.
      if (accounts.length === 0) return { id: named, name: "of CLOUDFLARE_ACCOUNT_ID" };
      throw new Failure(`CLOUDFLARE_ACCOUNT_ID names none of your accounts, which are ${listed(accounts)}.`);
    }
    const [account, ...others] = accounts;
    if (!account) throw new Failure("Your sign-in shows no account: set CLOUDFLARE_ACCOUNT_ID.");
    if (others.length > 0) {
      throw new Failure(`You have several accounts: set CLOUDFLARE_ACCOUNT_ID to one of ${listed(accounts)}.`);
    }
    return account;
  }

  async #databases(): Promise<string[]> {
    const outcome = await this.#deps.wrangler.ask("d1", "list", "--json");
    const databases = outcome.status === 0 ? answerOf<{ name: string }[]>(outcome) : undefined;
    if (!databases) throw new Failure(`The account's databases can't be listed; nothing was done.${detail(outcome)}`);
    return databases.map(({ name }) => name);
  }

  /** Whether the account has a Worker of this name. */
  async #exists(): Promise<boolean> {
    const outcome = await this.#deps.wrangler.ask("deployments", "list", "--json");
    if (outcome.status === 0) return true;
    if (/10007|does not exist/.test(outcome.stdout + outcome.stderr)) return false;
    throw new Failure(`The account's Workers can't be looked at; nothing was done.${detail(outcome)}`);
  }

  /** The version that runs; `undefined` when none does. */
  async #version(): Promise<string | undefined> {
    const outcome = await this.#deps.wrangler.ask("deployments", "list", "--json");
    if (outcome.status !== 0) return undefined;
    const deployments = answerOf<{ created_on?: string; versions?: { version_id: string }[] }[]>(outcome) ?? [];
    const [newest] = [...deployments].sort((a, b) => (b.created_on ?? "").localeCompare(a.created_on ?? ""));
    return newest?.versions?.[0]?.version_id;
  }

  /** What keeps sockets over a deploy, where the installed wrangler knows it. */
  async #deferral(command: "deploy" | "rollback"): Promise<readonly string[]> {
    const { stdout } = await this.#deps.wrangler.ask(command, "--help");
    return stdout.includes(DEFERRED[0]) ? DEFERRED : [];
  }

  #address({ stdout }: Outcome): string {
    const [domain] = this.#deps.domains;
    if (domain !== undefined) return `https://${domain}`;
    const [address] = /https:\/\/[a-z0-9.-]+\.workers\.dev/.exec(stdout) ?? [];
    if (address !== undefined) return address;
    throw new Failure(
      "It is deployed, but wrangler does not say at which address. Choose your workers.dev subdomain in Cloudflare's dashboard (Workers & Pages), and run this again.",
    );
  }
}

const listed = (accounts: readonly Account[]): string => accounts.map(({ id, name }) => `${id} (${name})`).join(", ");

/** The last line in which wrangler says what was wrong. */
function detail({ stdout, stderr }: Outcome): string {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => /error/i.test(line));
  return lines.length === 0 ? "" : ` wrangler says: ${lines.at(-1)?.trim()}`;
}

/** Ends a deploy whose step has failed. What was wrong wrangler has said itself. */
function done({ status }: Outcome, state: string): void {
  if (status === 0) return;
  throw new Failure(`${state} Mend what wrangler says above, and run this again: nothing is done twice.`);
}
