/** The Worker: bindings and variables in, the HTTP interface and the scheduled work out. */
import kernels from "../build/kernels.wasm";
import page from "../build/page.html";
import regionsPage from "../build/regions.html";
import { asLightedgeError } from "../shared/errors.ts";
import { toHex } from "../shared/hash.ts";
import { createWasmKernels } from "../shared/kernels/wasm.ts";
import { MEMORY_LIMITS } from "../shared/limits.ts";
import { AdminKey } from "./admin-key.ts";
import { type App, createApp } from "./app.ts";
import { collect } from "./collect.ts";
import type { CheckResult } from "./health.ts";
import { type Background, IndexCache } from "./index-cache.ts";
import { isolateShards } from "./isolate.ts";
import { pause } from "./pause.ts";
import { Circuits } from "./regions/circuit.ts";
import { Plans } from "./regions/plans.ts";
import { RegionRouter } from "./regions/router.ts";
import { ShardStates } from "./regions/shard-states.ts";
import { sourceOf } from "./regions/source.ts";
import { type RegionStores, regionStores } from "./regions/stores.ts";
import { TimedStore, timedInbox } from "./regions/timed-store.ts";
import { warm } from "./regions/warm.ts";
import { parseAllowedOrigins } from "./respond.ts";
import {
  type Env,
  gcGrace,
  maxAges,
  maxStale,
  pointerMaxAge,
  queryDeadline,
  readsInbox,
  residentBudget,
  splitList,
} from "./settings.ts";
import { ObjectShards } from "./shards/object-shards.ts";
import { R2WriteStore } from "./store-r2-write.ts";
import { watch } from "./watch.ts";
import { Webhook } from "./webhook.ts";

export { ShardObject } from "./shards/shard-object.ts";

/** Milliseconds to wait for a load that another request began: longer than any healthy one. */
const LOAD_PATIENCE_MS = 10_000;
/** Loaded indexes at once, at least and at most; the listed ones decide between. */
const SLOTS = { least: 4, most: 16 } as const;

/** A second is what a glitch takes; a minute is soon enough to notice that a region is back. */
const CIRCUITS = { leastMs: 1000, mostMs: 60_000, tryMs: 10_000, most: 1024 } as const;
/** A store that hangs leaves time for two other regions. */
const READS_PER_DEADLINE = 4;

interface Worker {
  readonly app: App;
  /** Checks every index that the deployment names in every region, has it ready there, and collects garbage where there is a bucket. */
  scheduled(context: Background): Promise<void>;
}

// One per isolate: variables and bindings do not change during its life.
let worker: Worker | undefined;

/** Answers every request, and looks after the indexes when a Cron Trigger says so. */
export default {
  fetch(request, env, context) {
    worker ??= createWorker(env);
    return worker.app.fetch(request, context);
  },
  async scheduled(_, env, context) {
    worker ??= createWorker(env);
    await worker.scheduled(context);
  },
} satisfies ExportedHandler<Env>;

function createWorker(env: Env): Worker {
  const stores = regionStores(env);
  const indexes = splitList(env.INDEXES, ",");
  const budgetBytes = residentBudget(env.RESIDENT_BYTES);
  const key = AdminKey.from(env.ADMIN_KEY);
  const maxAge = maxAges(env.INDEX_MAX_AGE);
  const checks = new Map<string, CheckResult>();
  const now = () => Date.now();
  const log = (line: string) => console.error(line);
  const webhook = Webhook.from(env.ALARM_WEBHOOK, env.ALARM_SECRET, {
    fetch: (url, init) => fetch(url, init),
    now,
  });
  const deadlineMs = queryDeadline(env.QUERY_DEADLINE, stores.length);
  const regions = timed(stores, deadlineMs);
  const [{ store, inbox }] = regions;
  const reads = readsInbox(env);
  const shards = env.SHARDS === undefined ? null : new ShardStates(new ObjectShards(env.SHARDS));
  const circuits = new Circuits({ ...CIRCUITS, now });
  const { budget } = isolateShards(env);
  const source = sourceOf({
    ...{ regions, inbox: reads ? inbox : null, budgetBytes, budget, log },
    ...(shards === null ? {} : { shards }),
    kernels: (capBytes) => createWasmKernels(kernels, capBytes),
    now: () => performance.now(),
    isAvoided: (region) => circuits.isOpen(region),
  });
  const cache = new IndexCache(source, {
    ...{ budgetBytes, budget },
    waitingBytes: MEMORY_LIMITS.waitingBytes,
    slots: Math.min(SLOTS.most, Math.max(SLOTS.least, indexes.length)),
    pointerMaxAgeMs: pointerMaxAge(env.POINTER_MAX_AGE) * 1000,
    maxStaleMs: maxStale(env.MAX_STALE),
    patienceMs: LOAD_PATIENCE_MS,
    now,
  });
  const plans = new Plans({ budgetBytes, objects: shards !== null, now });
  const router = new RegionRouter({
    ...{ indexes: cache, circuits, deadlineMs, readsInbox: reads, now, pause, log },
  });
  const app = createApp({
    ...{ indexes: cache, router, circuits, regions, plans, shards },
    testLocation: (env.TEST_LOCATION ?? "") !== "",
    budgetBytes,
    readsInbox: reads,
    writes: key === null ? null : { key, store, inbox, random: randomDigits },
    checks,
    page,
    regionsPage,
    settings: { indexes, examples: splitList(env.EXAMPLES, "|") },
    allowedOrigins: parseAllowedOrigins(env.CORS_ORIGIN),
    now: () => performance.now(),
    today: now,
    log,
  });
  const watched = [...new Set([...indexes, ...maxAge.keys()])];
  const graceMs = gcGrace(env.GC_GRACE);
  return {
    app,
    async scheduled(context) {
      await watch({ regions, webhook, maxAge, checks, now, log }, watched);
      const tell = (error: unknown) => asLightedgeError(error);
      const ready = await warm(
        { indexes: cache, plans, tell, now },
        { indexes: watched, regions, nearest: null },
        context,
      );
      // What a check found is told by the check.
      log(JSON.stringify({ level: "info", warmed: ready.warmed.length, not_warmed: ready.failed.length }));
      // Made here and for this alone: whatever answers requests has no store that can delete.
      for (const { bucket } of regions)
        if (bucket !== null && graceMs !== null) await collect(new R2WriteStore(bucket), graceMs, log);
    },
  };
}

function randomDigits(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(8)));
}

/** The same regions with reads that end, where there is a deadline. */
function timed(regions: RegionStores, deadlineMs: number | null): RegionStores {
  if (deadlineMs === null) return regions;
  const timer = { limitMs: deadlineMs / READS_PER_DEADLINE, pause };
  const [home, ...others] = regions.map((region) => ({
    ...region,
    store: new TimedStore(region.store, timer),
    inbox: timedInbox(region.inbox, timer),
  }));
  return [home!, ...others];
}
