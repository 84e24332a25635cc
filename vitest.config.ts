import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { CHROMIUM_ARGS, findChromium, STARTS_WITHIN } from "./test/chromium.ts";

// Tests reach nothing but this machine; the runtime would ask Cloudflare for an example of where a request comes from.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

// Without one, Playwright looks for its own.
const executablePath = findChromium();

// Only ends a test that hangs: on a busy machine everything takes its time, and time decides nothing.
const patience = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  // Of `expect.poll` and `expect.element`: by itself a second.
  expect: { poll: { timeout: 60_000 } },
};

// More than cores, because much of a test's time it waits for others; by itself the runner takes one less.
const maxWorkers = availableParallelism() + 1;

// What properties draw can be had again.
const properties = {
  setupFiles: ["test/seed.ts"],
  provide: { fcSeed: process.env.FC_SEED === undefined ? null : Number(process.env.FC_SEED) },
};
if (Number.isNaN(properties.provide.fcSeed)) throw new Error(`FC_SEED must be a number, not "${process.env.FC_SEED}".`);

/** Each project runs where its subject lives: plain Node, the Workers runtime, a browser, or real processes. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          ...properties,
          ...patience,
          maxWorkers,
          include: [
            "party/**/*.test.ts",
            "api/**/*.test.ts",
            "client/stay/**/*.test.ts",
            "client/view/**/*.test.ts",
            "client/site/**/*.test.ts",
            "client/cli/**/*.test.ts",
            "client/bridge/**/*.test.ts",
            "test/unit/**/*.test.ts",
          ],
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                MIGRATIONS: await readD1Migrations("migrations"),
                // Few enough for a test to reach it.
                SOCKETS_PER_ADDRESS: "20",
                LOOKUPS_PER_MINUTE: "60",
                SCANS_PER_MINUTE: "10",
                // So little that a test can fill it.
                DATABASE_LIMIT_MB: "2",
                OPERATOR_SECRET: "the-secret-of-this-operator",
                // Longer than a test takes: what is to reach D1 a test brings there itself, when it wants to.
                ARCHIVE_DELAY_MS: "3600000",
              },
            },
          })),
        ],
        test: {
          name: "runtime",
          ...patience,
          maxWorkers,
          include: ["test/runtime/**/*.test.ts"],
          setupFiles: ["test/runtime/setup.ts"],
          provide: {
            modelRuns: Number(process.env.MODEL_RUNS ?? 25),
            modelSeed: Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000),
            modelShrink: process.env.MODEL_SHRINK !== "no",
          },
        },
      },
      {
        // The same rules as in tsconfig.json: Lit's decorators are the experimental ones.
        test: {
          name: "browser",
          ...properties,
          ...patience,
          maxWorkers,
          include: ["client/widget/**/*.test.ts", "test/browser/**/*.test.ts"],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(executablePath && { executablePath }),
                args: CHROMIUM_ARGS,
                timeout: STARTS_WITHIN,
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        test: {
          name: "processes",
          ...properties,
          include: ["test/processes/**/*.test.ts"],
          // Each file starts servers and browsers of its own, so few at once, however many cores there are.
          maxWorkers: 3,
          ...patience,
          // Some start a server a dozen times, which takes ten seconds each when the machine has much else to do.
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        // The same, for what takes minutes to be seen.
        test: {
          name: "long",
          ...properties,
          include: ["test/long/**/*.test.ts"],
          fileParallelism: false,
          ...patience,
          testTimeout: 600_000,
        },
      },
    ],
  },
});
