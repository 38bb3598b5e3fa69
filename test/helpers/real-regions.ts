/** The HTTP interface over several regions with real stores and the real engine, wired as the Worker is. */
import { AdminKey } from "../../edge/admin-key.ts";
import { createApp } from "../../edge/app.ts";
import type { CheckResult } from "../../edge/health.ts";
import { ServiceInbox } from "../../edge/inbox-service.ts";
import { IndexCache } from "../../edge/index-cache.ts";
import { Circuits } from "../../edge/regions/circuit.ts";
import { Plans } from "../../edge/regions/plans.ts";
import { RegionRouter } from "../../edge/regions/router.ts";
import { ShardStates } from "../../edge/regions/shard-states.ts";
import { sourceOf } from "../../edge/regions/source.ts";
import { type ServedStore, storeResponse } from "../../indexer/store/service.ts";
import { MEMORY_LIMITS } from "../../shared/limits.ts";
import { type RegionName, regionOf } from "../../shared/regions/region.ts";
import { PortToShards } from "./port-to-shards.ts";
import { tinyPorts } from "./tiny-build.ts";
import { ADMIN_KEY } from "./writing-app.ts";

/** What a deployment is made of. */
export interface RealOptions {
  /** The first is home. */
  readonly stores: readonly (readonly [RegionName, ServedStore])[];
  readonly indexes?: readonly string[];
  /** Bytes for indexes; where they are too few for one, its shards are asked through a port. */
  readonly budgetBytes?: number;
  /** Seconds for which a pointer is believed. */
  readonly pointerMaxAge?: number;
}

/** A deployment in this process. Its clock stands still unless the test turns it. */
export async function realRegions(options: RealOptions) {
  const {
    indexes: listed = ["tiny"],
    budgetBytes = MEMORY_LIMITS.residentBytes,
    pointerMaxAge = 10,
  } = options;
  const clock = { now: Date.parse("2026-02-01T12:00:00Z") };
  const now = () => clock.now;
  const log: string[] = [];
  const background: Promise<unknown>[] = [];
  const stores = new Map<string, ServedStore>(options.stores);
  const [[home, homeStore]] = options.stores as [RealOptions["stores"][number]];
  const regions = options.stores.map(([name, store]) => ({
    ...{ name, home: name === home, place: regionOf(name), store },
  }));
  const inbox = new ServiceInbox({ fetch: (url, init) => storeResponse(homeStore, new Request(url, init)) });
  const port = new PortToShards(stores);
  const shards = new ShardStates(port);
  const { kernels } = await tinyPorts(homeStore);
  const circuits = new Circuits({ leastMs: 1000, mostMs: 60_000, tryMs: 10_000, most: 64, now });
  const source = sourceOf({
    isAvoided: (region) => circuits.isOpen(region),
    ...{ regions, inbox, budgetBytes, shards, kernels, now: () => 0, log: (line: string) => log.push(line) },
  });
  const indexes = new IndexCache(source, {
    ...{ budgetBytes: MEMORY_LIMITS.residentBytes, waitingBytes: MEMORY_LIMITS.waitingBytes, slots: 8, now },
    ...{ pointerMaxAgeMs: pointerMaxAge * 1000, patienceMs: 1000, maxStaleMs: 3_600_000 },
  });
  const plans = new Plans({ budgetBytes, objects: true, now });
  const pause = () => new Promise<void>(() => undefined);
  const router = new RegionRouter({
    ...{ indexes, circuits, deadlineMs: 4000, readsInbox: true, now, pause },
    log: (line) => log.push(line),
  });
  const checks = new Map<string, CheckResult>();
  let random = 0;
  const app = createApp({
    ...{
      indexes,
      router,
      circuits,
      plans,
      shards,
      checks,
      testLocation: true,
      readsInbox: true,
      now,
      today: now,
    },
    regions: regions as [(typeof regions)[number]],
    budgetBytes,
    writes: {
      ...{ key: AdminKey.from(ADMIN_KEY)!, store: homeStore, inbox },
      random: () => (++random).toString(16).padStart(16, "0"),
    },
    page: "<!doctype html><title>Page</title>",
    regionsPage: "<!doctype html><title>Regions</title>",
    settings: { indexes: listed, examples: [] },
    allowedOrigins: "*",
    log: (line) => log.push(line),
  });
  /** Asks from a region's place, home's unless told; a body is sent as JSON by POST unless the method is told. */
  const ask = async (
    path: string,
    init: { from?: string; body?: unknown; method?: string; key?: string } = {},
  ) => {
    const { body, from = home, method = body === undefined ? "GET" : "POST", key } = init;
    const headers = new Headers({ "x-lightedge-from": from });
    if (body !== undefined) headers.set("content-type", "application/json");
    if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const request = new Request(`http://edge.test${path}`, { method, headers, ...sent });
    const response = await app.fetch(request, { waitUntil: (work) => void background.push(work) });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { app, ask, clock, log, port, indexes, circuits, plans, checks, regions, background };
}
