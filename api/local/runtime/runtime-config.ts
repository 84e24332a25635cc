/**
 * What the runtime is started with: the Worker as wrangler.toml describes it, its pages, D1 and its objects in the folder
 * of state, and the door in front. Miniflare writes this for its own runtime; here it is taken out of its hands before a
 * runtime is started, because Miniflare stays in memory beside one with more than the whole server needs.
 */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Config, Miniflare, type MiniflareOptions, Runtime, type Service, serializeConfig } from "miniflare";
import { root } from "../root.ts";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { modulesFrom } from "./door-modules.ts";
import { CONTROL, DOOR } from "./socket-names.ts";

export interface DoorOptions {
  /** `TRUSTED_PROXIES`. */
  readonly trustedProxies: string;
  /** The Worker's entrypoint that closes its sockets before the server ends; some Workers of the benchmarks have none. */
  readonly shutdown?: string;
}

/** The configuration as the runtime reads it, for the Worker `name` of `options`. */
export async function runtimeConfig(
  name: string,
  options: MiniflareOptions,
  { trustedProxies, shutdown }: DoorOptions,
): Promise<Buffer> {
  const { services: all = [], extensions = [] } = await miniflareConfig(options);
  const services = all.map(withoutSimulation);
  const worker = `core:user:${name}`;
  const router = `assets:router:${name}`;
  const server = services.some((service) => service.name === router) ? router : worker;
  const door: Service = {
    name: DOOR,
    worker: {
      compatibilityDate: "2026-10-20",
      // For `scheduled` over a binding.
      compatibilityFlags: ["service_binding_extra_handlers", "experimental"],
      modules: modulesFrom(root, "api/door/door.ts"),
      bindings: [
        { name: "SERVER", service: { name: server } },
        { name: "WORKER", service: { name: worker } },
        { name: "TRUSTED_PROXIES", text: trustedProxies },
        ...(shutdown ? [{ name: "SHUTDOWN", service: { name: worker, entrypoint: shutdown } }] : []),
      ],
    },
  };
  return serializeConfig({
    services: [door, ...reachable(services, [server, worker])],
    // Their addresses are given when the runtime is started.
    sockets: [
      { name: DOOR, service: { name: DOOR }, http: {} },
      { name: CONTROL, service: { name: DOOR, entrypoint: "Control" }, http: {} },
    ],
    extensions,
    structuredLogging: true,
    v8Flags: V8_FLAGS,
  });
}

/**
 * V8 lets a heap grow to 256 MB before it looks for the first time for what is left over, and each service has a heap. What
 * a request has left over holds memory outside of the heaps, too, three times as much. So a heap is looked through from
 * 4 MB on, and again when it has grown by a part of what is in use. With less new space the frames of a flood become old
 * before they have been sent.
 */
const V8_FLAGS = ["--initial-old-space-size=4", "--max-semi-space-size=4"];

/** What Miniflare would give its runtime. None is started. */
async function miniflareConfig(options: MiniflareOptions): Promise<Config> {
  // Nobody else may read it: the operator's secret is in it.
  const folder = makeTemporaryFolder("config");
  const file = join(folder, "config.json");
  const { updateConfig } = Runtime.prototype;
  process.env.MINIFLARE_WORKERD_CONFIG_DEBUG = file;
  Runtime.prototype.updateConfig = async (_config, { requiredSockets }) =>
    new Map(requiredSockets.map((socket) => [socket, 1]));
  const miniflare = new Miniflare(options);
  try {
    await miniflare.ready;
    return JSON.parse(readFileSync(file, "utf8"), asBytes) as Config;
  } finally {
    delete process.env.MINIFLARE_WORKERD_CONFIG_DEBUG;
    Runtime.prototype.updateConfig = updateConfig;
    await miniflare.dispose();
    rmSync(folder, { recursive: true });
  }
}

/** Bytes that JSON has made an object with a number for each. */
function asBytes(key: string, value: unknown): unknown {
  if (key !== "data" || typeof value !== "object" || value === null || "type" in value) return value;
  return Uint8Array.from(Object.values(value as Record<string, number>));
}

/** Without what Miniflare puts between a Worker and the internet, and the cache that ours do not use: three services less. */
function withoutSimulation(service: Service): Service {
  if (!("worker" in service) || !service.worker) return service;
  const { globalOutbound: _, cacheApiOutbound: __, ...worker } = service.worker;
  return { ...service, worker } as Service;
}

/** Those of `services` that `from` can call, directly or through others, in their order. */
function reachable(services: readonly Service[], from: readonly string[]): Service[] {
  const byName = new Map(services.map((service) => [service.name as string, service]));
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string" && byName.has(value) && !found.has(value)) {
      found.add(value);
      visit(byName.get(value));
    } else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      for (const member of Object.values(value)) visit(member);
    }
  };
  for (const name of from) visit(name);
  return services.filter(({ name }) => found.has(name as string));
}
