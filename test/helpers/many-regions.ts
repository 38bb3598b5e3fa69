/** The HTTP interface over several regions of fake indexes, each of which fails as it is told, on a clock that the test turns. */
import { type App, createApp } from "../../edge/app.ts";
import { IndexCache, type IndexSource } from "../../edge/index-cache.ts";
import { Circuits } from "../../edge/regions/circuit.ts";
import { partsOf } from "../../edge/regions/key.ts";
import { Plans } from "../../edge/regions/plans.ts";
import { RegionRouter } from "../../edge/regions/router.ts";
import type { WaitingWrite } from "../../shared/engine/api.ts";
import { type ErrorCode, LightedgeError } from "../../shared/errors.ts";
import { SHARD_LIMITS } from "../../shared/limits.ts";
import { type RegionName, regionOf } from "../../shared/regions/region.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { SearchAnswer } from "../../shared/types.ts";
import { fakeIndex } from "./fake-index.ts";
import { VirtualTime } from "./virtual-time.ts";

/** What a region is like. Tests change it as they go. */
export interface FakeRegion {
  /** Number of the current version of `docs`, or null where the region has no such index. */
  seq: number | null;
  /** What its pointer is answered with instead. */
  pointer?: ErrorCode | undefined;
  /** What loading is answered with, where the pointer was read. */
  load?: ErrorCode | undefined;
  /** Milliseconds that loading takes. */
  loadMs?: number;
  /** What a search is answered with. `never` for nothing at all. */
  search?: ErrorCode | "never" | undefined;
  /** Versions up to this one have been collected: what is loaded of them finds no documents. */
  gone?: number;
  /** Ordinals of shards that do not answer. */
  missing?: readonly number[];
  /** Whether these are waited for as long as may be. */
  silent?: boolean;
  /** Whether home's inbox cannot be seen from it. */
  blind?: boolean;
  residentBytes?: number;
}

/** Regions by name, the first being home. */
export type FakeRegions = Partial<Record<RegionName, FakeRegion>>;

/** Options that tests change. */
export interface ManyOptions {
  readonly deadlineMs?: number;
  readonly maxStaleMs?: number;
  readonly pointerMaxAgeMs?: number;
  readonly budgetBytes?: number;
  readonly readsInbox?: boolean;
}

/** The time at which the clock stands at first, in ms since 1970: a day after fake versions were made. */
export const STARTS = Date.parse("2026-02-01T12:00:00Z");

/** An interface over regions. */
export function manyRegions(fakes: FakeRegions, options: ManyOptions = {}) {
  const time = new VirtualTime();
  const names = Object.keys(fakes) as RegionName[];
  const now = () => STARTS + time.now;
  const log: string[] = [];
  /** What was asked of regions: `weur pointer`, `weur load`, `weur search`. */
  const asked: string[] = [];
  const waiting: WaitingWrite[] = [];
  const fakeOf = (key: string) => {
    const { region, index } = partsOf(key);
    return { region, index, fake: fakes[region as RegionName]! };
  };
  const refuse = (code: ErrorCode | undefined, what: string) => {
    if (code !== undefined)
      throw new LightedgeError(code, `${what} fails.`, { blob: `blobs/${"0".repeat(64)}` });
  };
  const pointer = (key: string): number => {
    const { region, index, fake } = fakeOf(key);
    asked.push(`${region} pointer`);
    refuse(fake.pointer, `${region}'s pointer`);
    if (fake.seq !== null && index === "docs") return fake.seq;
    throw new LightedgeError("index/not-found", `There is no index named ${index}.`, { field: "index" });
  };
  const source: IndexSource = {
    async open(key, room) {
      const seq = pointer(key);
      const { region, fake } = fakeOf(key);
      room(fake.residentBytes ?? 1000);
      asked.push(`${region} load`);
      if (fake.loadMs !== undefined) await time.pause(fake.loadMs);
      refuse(fake.load, `Loading from ${region}`);
      const documents = [{ id: `${region}/${seq}`, fields: { title: "tea", text: `tea of version ${seq}` } }];
      const base = fakeIndex({ name: "docs", seq, documents, residentBytes: fake.residentBytes ?? 1000 });
      const withRegion = (index: typeof base): typeof base => ({
        ...index,
        withWrites: (...rest) => withRegion(index.withWrites(...rest)),
        async search(request, patienceMs = SHARD_LIMITS.patienceMs): Promise<SearchAnswer> {
          asked.push(`${region} search`);
          if (fake.search === "never") await new Promise(() => undefined);
          refuse(fake.search === "never" ? undefined : fake.search, `Searching in ${region}`);
          if (seq <= (fake.gone ?? 0)) refuse("blob/missing", `Version ${seq} of ${region}`);
          const answer = await index.search(request);
          const missing = fake.missing ?? [];
          if (missing.length === 0) return { ...answer, region };
          if (fake.silent === true) await time.pause(patienceMs);
          return { ...answer, region, partial: true, missing_shards: missing };
        },
      });
      return withRegion(base);
    },
    currentVersion: async (key) => fakeIndex({ seq: pointer(key) }).version,
    async withWaiting(index, _, capBytes, key) {
      const { region, fake } = fakeOf(key);
      if (fake.blind) throw new LightedgeError("store/unavailable", `The inbox is not seen from ${region}.`);
      return waiting.length === index.waiting.length ? index : index.withWrites(waiting, capBytes);
    },
    inboxIsElsewhere: (key) => fakeOf(key).region !== names[0],
  };
  const indexes = new IndexCache(source, {
    budgetBytes: options.budgetBytes ?? 1_000_000,
    waitingBytes: 1_000_000,
    slots: 16,
    pointerMaxAgeMs: options.pointerMaxAgeMs ?? 10_000,
    maxStaleMs: options.maxStaleMs ?? 3_600_000,
    patienceMs: 1000,
    now,
  });
  const circuits = new Circuits({ leastMs: 1000, mostMs: 60_000, tryMs: 10_000, most: 64, now });
  const readsInbox = options.readsInbox ?? false;
  const router = new RegionRouter({
    ...{ indexes, circuits, deadlineMs: options.deadlineMs ?? 4000, readsInbox, now },
    pause: time.pause,
    log: (line) => log.push(line),
  });
  const [home, ...others] = names.map((name, at) => {
    return { name, home: at === 0, place: regionOf(name), store: new MemoryStore() };
  });
  const app: App = createApp({
    ...{ indexes, router, circuits, regions: [home!, ...others], shards: null, testLocation: true },
    plans: new Plans({ budgetBytes: 1_000_000, objects: false, now }),
    budgetBytes: 1_000_000,
    readsInbox,
    writes: null,
    checks: new Map(),
    page: "<!doctype html><title>Page</title>",
    regionsPage: "<!doctype html><title>Regions</title>",
    settings: { indexes: ["docs"], examples: [] },
    allowedOrigins: "*",
    now,
    today: now,
    log: (line) => log.push(line),
  });
  const fetch = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    time.run(app.fetch(new Request(`http://edge.test${path}`, { headers }), { waitUntil: () => undefined }));
  /** Searches from a region's own place, the home region's unless told. */
  const search = async (rest = "", from: string = names[0]!) => {
    const response = await fetch(`/v1/indexes/docs/search?q=tea${rest}`, { "x-lightedge-from": from });
    const body = (await response.json()) as Partial<SearchAnswer> & {
      readonly error?: { readonly code: ErrorCode; readonly message: string };
    };
    return { status: response.status, headers: response.headers, body };
  };
  return { app, router, indexes, circuits, time, log, asked, waiting, fetch, search };
}
