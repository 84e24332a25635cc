import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll } from "vitest";

// Given by vitest.config.ts, beside the Worker's own bindings.
const { MIGRATIONS } = env as unknown as { MIGRATIONS: D1Migration[] };

beforeAll(() => applyD1Migrations(env.DB, MIGRATIONS));
