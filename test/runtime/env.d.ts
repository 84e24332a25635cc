/** What the runtime tests are given besides the Worker's own bindings. */
declare namespace Cloudflare {
  interface Env {
    MIGRATIONS: import("@cloudflare/vitest-plugin").D1Migration[];
  }
}
