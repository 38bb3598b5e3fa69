/** The deployment under a soak: all regions in real workerd, over stores that break by chance. */
import { setTimeout as pause } from "node:timers/promises";
import { Random } from "../../indexer/random.ts";
import { type ServedRegion, serve } from "../../indexer/serve.ts";
import { openStore } from "../../indexer/store/open.ts";
import type { RegionName } from "../../shared/regions/region.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { breakByChance, type Chance } from "../../test/helpers/fault-plan.ts";
import { FaultStore } from "../../test/helpers/fault-store.ts";

/** A deployment, and what can be done to it. */
export interface World {
  /** Asks from the place of a region go here with `x-lightedge-from`. */
  readonly url: string;
  /** Home's store as it is, without faults. */
  readonly home: WriteStore;
  /** Store operations that broke so far. */
  faults(): number;
  /** Every shard object loses its memory. */
  evict(): Promise<void>;
  /** Cuts a region off, or heals it with null. */
  cut(region: RegionName, how: "refuse" | "hang" | null): Promise<void>;
  close(): Promise<void>;
}

/** What a world is made of. */
export interface WorldSettings {
  readonly seed: number;
  readonly index: string;
  /** Store by region, home first. */
  readonly stores: readonly { readonly region: RegionName; readonly url: string }[];
  /** Bytes that an isolate keeps: small, so that the index lies in shard objects. */
  readonly residentBytes: number;
  /** Share of store operations that fail; some more are slow, hang, or bring other bits. */
  readonly failing: number;
  /** Whether distances take their time. */
  readonly latency: boolean;
}

/** What else happens to reads, by chance: damage must be noticed, silence outlived. */
function faultsOf(failing: number): readonly Chance[] {
  return [
    { fault: "fail before", chance: failing },
    { fault: "stall", chance: failing / 25, below: 4000 },
    { fault: "delay", chance: failing / 2, below: 400 },
    { fault: "flip", chance: failing / 10, below: 2 ** 20 },
    { fault: "short", chance: failing / 10, below: 100 },
  ];
}

/** Starts it. There must be a version in each store, or its region answers that there is none. */
export async function startWorld(settings: WorldSettings): Promise<World> {
  const { seed, index, stores, residentBytes, failing, latency } = settings;
  const breaking = stores.map(({ region, url }, at) => {
    const plan = breakByChance(new Random(seed + 100 + at), faultsOf(failing));
    const ports = { pause: (milliseconds: number) => pause(milliseconds) };
    return { name: region, store: new FaultStore(openStore(url), plan, ports) };
  });
  const [first, ...others] = breaking as [(typeof breaking)[number], ...typeof breaking];
  const regions: [ServedRegion, ...ServedRegion[]] = [first, ...others];
  const serving = await serve({
    ...{ store: first.store, regions, residentBytes, latency },
    ...{ host: "127.0.0.1", port: 0, control: 0 },
    ...{ indexes: [index], examples: [], pointerMaxAge: 2 },
  });
  const order = async (body: object): Promise<void> => {
    const answer = await fetch(new URL("/faults", serving.control), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`The control refused ${JSON.stringify(body)}: ${await answer.text()}`);
    await answer.body?.cancel();
  };
  return {
    url: serving.url,
    home: openStore(stores[0]!.url),
    faults: () => breaking.reduce((sum, { store }) => sum + store.struck.length, 0),
    evict: () => order({ evict: true }),
    cut: (region, how) => order({ region, cut: how }),
    close: () => serving.close(),
  };
}
