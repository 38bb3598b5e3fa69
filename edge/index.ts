/** The Worker: bindings and variables in, the HTTP interface and the scheduled work out. */
import kernels from "../build/kernels.wasm";
import page from "../build/page.html";
import type { EnginePorts } from "../shared/engine/api.ts";
import { BlockCache } from "../shared/engine/document-reader.ts";
import { openIndex, readCurrent } from "../shared/engine/open.ts";
import { loadManifest } from "../shared/format/load.ts";
import { residentBytesOf } from "../shared/format/manifest.ts";
import { versionName } from "../shared/format/names.ts";
import { toHex } from "../shared/hash.ts";
import { createWasmKernels } from "../shared/kernels/wasm.ts";
import { MEMORY_LIMITS } from "../shared/limits.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { AdminKey } from "./admin-key.ts";
import { type App, createApp } from "./app.ts";
import { collect } from "./collect.ts";
import type { CheckResult } from "./health.ts";
import { ServiceInbox } from "./inbox-service.ts";
import { type InboxStore, R2Inbox } from "./inbox-store.ts";
import { IndexCache, type IndexSource } from "./index-cache.ts";
import { parseAllowedOrigins } from "./respond.ts";
import { type Env, gcGrace, maxAges, pointerMaxAge, readsInbox, splitList } from "./settings.ts";
import { R2Store } from "./store-r2.ts";
import { R2WriteStore } from "./store-r2-write.ts";
import { ServiceStore } from "./store-service.ts";
import { withWaiting } from "./waiting.ts";
import { watch } from "./watch.ts";
import { Webhook } from "./webhook.ts";

/** Milliseconds to wait for a load that another request began: longer than any healthy one. */
const LOAD_PATIENCE_MS = 10_000;
/** Loaded indexes at once, at least and at most; the listed ones decide between. */
const SLOTS = { least: 4, most: 16 } as const;

interface Worker {
  readonly app: App;
  /** Checks every index that the deployment names, and collects garbage where there is a bucket. */
  scheduled(): Promise<void>;
}

// One per isolate: variables and bindings do not change during its life.
let worker: Worker | undefined;

/** Answers every request, and looks after the indexes when a Cron Trigger says so. */
export default {
  fetch(request, env, context) {
    worker ??= createWorker(env);
    return worker.app.fetch(request, context);
  },
  async scheduled(_, env) {
    worker ??= createWorker(env);
    await worker.scheduled();
  },
} satisfies ExportedHandler<Env>;

function createWorker(env: Env): Worker {
  const region = env.REGION || "local";
  const indexes = splitList(env.INDEXES, ",");
  const budgetBytes = MEMORY_LIMITS.residentBytes;
  const { store, inbox } = storesOf(env);
  const key = AdminKey.from(env.ADMIN_KEY);
  const maxAge = maxAges(env.INDEX_MAX_AGE);
  const checks = new Map<string, CheckResult>();
  const now = () => Date.now();
  const log = (line: string) => console.error(line);
  const webhook = Webhook.from(env.ALARM_WEBHOOK, env.ALARM_SECRET, {
    fetch: (url, init) => fetch(url, init),
    now,
  });
  const cache = new IndexCache(sourceOf(store, readsInbox(env) ? inbox : null, region, log), {
    budgetBytes,
    waitingBytes: MEMORY_LIMITS.waitingBytes,
    slots: Math.min(SLOTS.most, Math.max(SLOTS.least, indexes.length)),
    pointerMaxAgeMs: pointerMaxAge(env.POINTER_MAX_AGE) * 1000,
    patienceMs: LOAD_PATIENCE_MS,
    now,
  });
  const app = createApp({
    indexes: cache,
    region,
    budgetBytes,
    readsInbox: readsInbox(env),
    writes: key === null ? null : { key, store, inbox, random: randomDigits },
    checks,
    page,
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
    async scheduled() {
      await watch({ store, webhook, maxAge, checks, now, log }, watched);
      // Made here and for this alone: whatever answers requests has no store that can delete.
      if (env.BUCKET !== undefined && env.STORE === undefined && graceMs !== null)
        await collect(new R2WriteStore(env.BUCKET), graceMs, log);
    },
  };
}

function sourceOf(
  store: ReadStore,
  inbox: InboxStore | null,
  region: string,
  log: (line: string) => void,
): IndexSource {
  const ports: EnginePorts = {
    store,
    kernels: (capBytes) => createWasmKernels(kernels, capBytes),
    now: () => performance.now(),
    region,
  };
  // One for all indexes, so that all of them share the bound.
  const blocks = new BlockCache(MEMORY_LIMITS.documentCacheBytes);
  return {
    open: (name, residentBytes) => openIndex(ports, name, { residentBytes, blocks }),
    async neededBytes(name) {
      const { manifest } = await readCurrent(store, name);
      return residentBytesOf(await loadManifest(store, manifest));
    },
    async currentVersion(name) {
      const { seq, manifest } = await readCurrent(store, name);
      return versionName(seq, manifest.sha256);
    },
    async withWaiting(index, known, capBytes) {
      return inbox === null ? index : withWaiting({ store, inbox, log }, index, known, capBytes);
    },
  };
}

/** The store as this Worker may use it: all of it is read, and inboxes are added to. */
function storesOf(env: Env): { readonly store: ReadStore; readonly inbox: InboxStore } {
  const { STORE, BUCKET } = env;
  if (STORE !== undefined) return { store: new ServiceStore(STORE), inbox: new ServiceInbox(STORE) };
  if (BUCKET !== undefined) return { store: new R2Store(BUCKET), inbox: new R2Inbox(BUCKET) };
  throw new Error("Neither STORE nor BUCKET is bound; see wrangler.toml.");
}

function randomDigits(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(8)));
}
