/** The Worker: bindings and variables in, the HTTP interface out. */
import kernels from "../build/kernels.wasm";
import page from "../build/page.html";
import type { EnginePorts } from "../shared/engine/api.ts";
import { BlockCache } from "../shared/engine/document-reader.ts";
import { openIndex, readCurrent } from "../shared/engine/open.ts";
import { loadManifest } from "../shared/format/load.ts";
import { type BlobEntry, blobsOf, type Manifest } from "../shared/format/manifest.ts";
import { createWasmKernels } from "../shared/kernels/wasm.ts";
import { MEMORY_LIMITS } from "../shared/limits.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { type App, createApp } from "./app.ts";
import { IndexCache } from "./index-cache.ts";
import { parseAllowedOrigins } from "./respond.ts";
import { R2Store } from "./store-r2.ts";
import { ServiceStore } from "./store-service.ts";

/** What wrangler.toml, or local serving, binds. Every variable is text and may be absent. */
export interface Env {
  readonly BUCKET?: R2Bucket;
  /** A service that answers for any other store; it wins over the bucket. Local serving binds it. */
  readonly STORE?: Fetcher;
  /** Name of this region as it stands in answers. */
  readonly REGION?: string;
  /** Indexes that the page offers, separated by commas, the default first. */
  readonly INDEXES?: string;
  /** Queries that the page suggests, separated by `|`. */
  readonly EXAMPLES?: string;
  /** Seconds for which a pointer is believed, 10 when absent. */
  readonly POINTER_MAX_AGE?: string;
  /** `*`, or the origins whose pages may read answers, separated by commas. */
  readonly CORS_ORIGIN?: string;
}

/** Milliseconds to wait for a load that another request began: longer than any healthy one. */
const LOAD_PATIENCE_MS = 10_000;
/** Loaded indexes at once, at least and at most; the listed ones decide between. */
const SLOTS = { least: 4, most: 16 } as const;

// One per isolate: variables and bindings do not change during its life.
let app: App | undefined;

/** Answers every request; scheduled work is the indexer's. */
export default {
  fetch(request, env, context) {
    app ??= createWorkerApp(env);
    return app.fetch(request, context);
  },
} satisfies ExportedHandler<Env>;

function createWorkerApp(env: Env): App {
  const region = env.REGION || "local";
  const indexes = splitList(env.INDEXES, ",");
  const budgetBytes = MEMORY_LIMITS.residentBytes;
  const slots = Math.min(SLOTS.most, Math.max(SLOTS.least, indexes.length));
  const ports: EnginePorts = {
    store: storeOf(env),
    kernels: (capBytes) => createWasmKernels(kernels, capBytes),
    now: () => performance.now(),
    region,
  };
  // One for all indexes, so that all of them share the bound.
  const blocks = new BlockCache(MEMORY_LIMITS.documentCacheBytes);
  const source = {
    open: (name: string, residentBytes: number) => openIndex(ports, name, { residentBytes, blocks }),
    neededBytes: async (name: string) => {
      const { manifest } = await readCurrent(ports.store, name);
      return residentBytesOf(await loadManifest(ports.store, manifest));
    },
    async currentVersion(name: string) {
      const { seq, manifest } = await readCurrent(ports.store, name);
      return `${seq}-${manifest.sha256.slice(0, 8)}`;
    },
  };
  const cache = new IndexCache(source, {
    budgetBytes,
    slots,
    pointerMaxAgeMs: seconds(env.POINTER_MAX_AGE, 10) * 1000,
    patienceMs: LOAD_PATIENCE_MS,
    now: () => Date.now(),
  });
  return createApp({
    indexes: cache,
    region,
    budgetBytes,
    page,
    settings: { indexes, examples: splitList(env.EXAMPLES, "|") },
    allowedOrigins: parseAllowedOrigins(env.CORS_ORIGIN),
    now: () => performance.now(),
    today: () => Date.now(),
    log: (line) => console.error(line),
  });
}

/** Stored and resident bytes of tables, lexicons and shards are about equal: blobs are laid out as memory is. */
function residentBytesOf(manifest: Manifest): number {
  const roles = ["table", "lexicon", "shard"] as const;
  const resident = roles.flatMap((role): readonly BlobEntry[] => blobsOf(manifest, role));
  return resident.reduce((sum, { bytes }) => sum + bytes, 0);
}

function storeOf(env: Env): ReadStore {
  if (env.STORE !== undefined) return new ServiceStore(env.STORE);
  if (env.BUCKET !== undefined) return new R2Store(env.BUCKET);
  throw new Error("Neither STORE nor BUCKET is bound; see wrangler.toml.");
}

function splitList(value: string | undefined, separator: string): readonly string[] {
  const parts = (value ?? "").split(separator).map((part) => part.trim());
  return parts.filter((part) => part !== "");
}

/** A variable in seconds, 0 allowed. A value that is no number would silently mean "never look again". */
function seconds(value: string | undefined, fallback: number): number {
  if (value === undefined || value === "") return fallback;
  const parsed = Number(value);
  if (parsed >= 0 && Number.isFinite(parsed)) return parsed;
  throw new Error("POINTER_MAX_AGE must be a number of seconds.");
}
