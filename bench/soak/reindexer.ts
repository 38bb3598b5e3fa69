/**
 * A thread that keeps the index up to date as `lightedge reindex` and `lightedge replicate` do: at each word from the
 * soak it reads the next state of the source, publishes an incremental version to the home store, and brings it
 * to the other regions, whose stores break now and then.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { BUILD_DEFAULTS, buildIndex } from "../../indexer/build.ts";
import { SILENT } from "../../indexer/progress.ts";
import { Random } from "../../indexer/random.ts";
import { replicateAll } from "../../indexer/regions/replicate-all.ts";
import { openStore } from "../../indexer/store/open.ts";
import { PUBLISH_PORTS } from "../../indexer/store/publish.ts";
import type { Pointer } from "../../shared/format/pointer.ts";
import { type RegionName, regionOf } from "../../shared/regions/region.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { breakByChance } from "../../test/helpers/fault-plan.ts";
import { FaultStore } from "../../test/helpers/fault-store.ts";
import { sourceOf } from "../../test/helpers/tiny-corpus.ts";
import { tinyEncoder } from "../../test/helpers/tiny-encoder.ts";
import { ChangingSource } from "./source.ts";

/** What a reindexer works on. */
export interface ReindexSettings {
  readonly seed: number;
  readonly index: string;
  readonly documents: number;
  /** Chunks of a shard at most, so that there are several. */
  readonly shardChunks: number;
  /** Store by region, home first. */
  readonly stores: readonly { readonly region: RegionName; readonly url: string }[];
  /** Share of a copy's operations that fail. */
  readonly failing: number;
}

/** What a run did. */
export interface Reindexed {
  /** Counted from 0: the state of the source that was published. */
  readonly run: number;
  readonly pointer: Pointer;
  /** Regions that have the version, home among them, and how often a copy was begun. */
  readonly reached: readonly RegionName[];
  readonly tries: number;
  /** `none`, `some`, `documents` or `all`: what had to be made. */
  readonly plan: string;
}

/** A word to the thread: publish the next state, and do not reach these regions. */
interface Order {
  readonly cut: readonly RegionName[];
}

/** Tries of a copy before it is left to the next run. */
const TRIES = 6;

/** The soak's side of the thread. */
export class Reindexer {
  readonly #thread: Worker;
  #waiting: { resolve(done: Reindexed): void; reject(error: unknown): void } | undefined;

  constructor(settings: ReindexSettings) {
    this.#thread = new Worker(new URL(import.meta.url), { workerData: settings });
    this.#thread.on("message", (done: Reindexed) => this.#settle((waiting) => waiting.resolve(done)));
    this.#thread.on("error", (error) => this.#settle((waiting) => waiting.reject(error)));
  }

  /** Publishes the next state of the source. One run at a time. */
  run(cut: readonly RegionName[] = []): Promise<Reindexed> {
    if (this.#waiting !== undefined) throw new Error("A run is under way.");
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#thread.postMessage({ cut } satisfies Order);
    });
  }

  /** Ends the thread, whatever it is at. */
  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  #settle(end: (waiting: { resolve(done: Reindexed): void; reject(error: unknown): void }) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) end(waiting);
  }
}

function serveOrders(settings: ReindexSettings): void {
  const source = new ChangingSource(settings.seed, settings.documents);
  const random = new Random(settings.seed + 1);
  let run = -1;
  parentPort!.on("message", (order: Order) => {
    run++;
    if (run > 0) source.change();
    // An error ends the thread, and with it the soak.
    void work(settings, source, random, run, order).then((done) => parentPort!.postMessage(done));
  });
}

async function work(
  settings: ReindexSettings,
  source: ChangingSource,
  random: Random,
  run: number,
  { cut }: Order,
): Promise<Reindexed> {
  const { index, shardChunks, failing } = settings;
  const stores = settings.stores.map(({ region, url }) => ({
    region: regionOf(region),
    store: openStore(url),
  }));
  const [home, ...others] = stores as [(typeof stores)[number], ...typeof stores];
  const options = { ...BUILD_DEFAULTS, shardChunks, tasks: [], weight: 0.5, now: () => new Date() };
  const encoder = tinyEncoder();
  const report = await buildIndex(
    { index, source: sourceOf(source.state()), encoder, store: home.store, ...options },
    SILENT,
  );
  const { pointer } = (await readPointer(home.store, index))!;
  const reached = new Set<RegionName>([home.region.name]);
  let tries = 0;
  while (tries++ < TRIES && reached.size < stores.length - cut.length) {
    const left = others.filter(({ region: { name } }) => !reached.has(name) && !cut.includes(name));
    const broken = left.map(({ region, store }) => ({ region, store: breaking(store, random, failing) }));
    const results = await replicateAll(home, broken, [index], { verify: "full" }, PUBLISH_PORTS, SILENT);
    for (const { kind, region } of results) if (kind === "done") reached.add(region);
  }
  return { run, pointer, reached: [...reached], tries, plan: report.plan.kind };
}

function breaking(store: WriteStore, random: Random, failing: number): WriteStore {
  const plan = breakByChance(random, [
    { fault: "fail before", chance: failing / 2 },
    { fault: "fail after", chance: failing / 2 },
  ]);
  return new FaultStore(store, plan, { pause: (milliseconds) => pause(milliseconds) });
}

if (!isMainThread) serveOrders(workerData as ReindexSettings);
