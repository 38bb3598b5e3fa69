/** The workers of a local server: the deployed one, or a whole world of it. */
import type { Request as WorkerdRequest, Response as WorkerdResponse } from "miniflare";
import { type Place, SHARDS_BINDING, SHARDS_CLASS } from "../../shared/regions/region.ts";
import type { ServedStore } from "../store/service.ts";
import {
  BUNDLE,
  bundledModules,
  compatibilityDate,
  linkModules,
  objectModules,
  placeModules,
} from "./bundle.ts";
import type { FaultBoard } from "./faults.ts";
import { distantStore, nearStore, type StoreService } from "./store-link.ts";

/** A region as it is served: where it is, and what answers for its store. */
export interface WorldRegion {
  readonly name: string;
  /** Null where there are no distances. */
  readonly place: Place | null;
  /** Name of the service binding that stands for its store. */
  readonly storeBinding: string;
  readonly store: ServedStore;
}

/** What all workers of a server share. */
export interface Common {
  /** Variables of the deployed Worker. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly host: string;
}

/** Name of the worker at whose socket a region's place is asked, and of those that hold its shard objects. */
export const placeWorker = (region: string) => `place-${region}`;
export const objectsWorker = (region: string, isolate: number) => `objects-${region}-${isolate}`;
/** Name of the worker of a server that imitates nothing. */
export const PLAIN_WORKER = "lightedge";
/** Name of the worker that is the network. */
export const LINK_WORKER = "link";

const OWN_SHARDS = { [SHARDS_BINDING]: { className: SHARDS_CLASS, useSQLite: true } };

/** The deployed Worker, over a store right here. */
export async function plainWorker(common: Common, store: ServedStore, port: number) {
  return {
    name: PLAIN_WORKER,
    modulesRoot: BUNDLE,
    modules: await bundledModules(),
    compatibilityDate: await compatibilityDate(),
    bindings: { ...common.bindings },
    durableObjects: OWN_SHARDS,
    serviceBindings: { STORE: nearStore(store) },
    unsafeDirectSockets: [{ host: common.host, port }],
  };
}

/** What else a world needs. */
export interface World {
  readonly regions: readonly WorldRegion[];
  readonly board: FaultBoard;
  /** Answers `/local/faults`; absent where there is no control. */
  readonly control: ((request: WorkerdRequest) => Promise<WorkerdResponse>) | undefined;
  /** Answers `/ways` for the link worker, and `/isolate/REGION/NAME` for places. */
  server(request: WorkerdRequest): Promise<WorkerdResponse>;
  /** Whether there are distances or faults between places and objects; where not, no call is sent through the link. */
  readonly isWide: boolean;
  /** Isolates of each region's shard objects. */
  readonly isolates: number;
  /** The port of each region's place, 0 for any free one. */
  readonly ports: readonly number[];
}

/**
 * A place for each region, each an isolate of its own as a data centre is, with the shard objects of each region in
 * others, and the network between them. The isolates of all run the deployed bundle.
 */
export async function worldWorkers(common: Common, world: World) {
  const { regions, board } = world;
  const isolates = Array.from({ length: world.isolates }, (_, at) => at);
  const date = await compatibilityDate();
  const modules = await placeModules();
  const resettable = await objectModules();
  const storesFrom = (from: string): Record<string, StoreService> =>
    Object.fromEntries(
      regions.map(({ name, store, storeBinding }) => [
        storeBinding,
        distantStore(store, board, [from, name]),
      ]),
    );
  const places = regions.map(({ name }, at) => ({
    name: placeWorker(name),
    modulesRoot: BUNDLE,
    modules,
    compatibilityDate: date,
    bindings: {
      ...common.bindings,
      LOCAL_PLACE: name,
      LOCAL_ISOLATES: world.isolates,
      LOCAL_PLACES: Object.fromEntries(
        regions.map((region) => [
          region.name,
          region.place && { latitude: region.place.latitude, longitude: region.place.longitude },
        ]),
      ),
    },
    durableObjects: Object.fromEntries(
      regions.flatMap((region) =>
        isolates.map((isolate) => [
          `${SHARDS_BINDING}_${region.name}_${isolate}`,
          { className: SHARDS_CLASS, scriptName: objectsWorker(region.name, isolate), useSQLite: true },
        ]),
      ),
    ),
    serviceBindings: {
      ...storesFrom(name),
      ...(world.isWide ? { LINK: LINK_WORKER } : {}),
      SERVER: world.server,
      ...Object.fromEntries(regions.map((region) => [`PLACE_${region.name}`, placeWorker(region.name)])),
      ...(world.control === undefined ? {} : { CONTROL: world.control }),
    },
    unsafeDirectSockets: [{ host: common.host, port: world.ports[at] ?? 0 }],
  }));
  const objects = regions.flatMap(({ name }) =>
    isolates.map((isolate) => ({
      name: objectsWorker(name, isolate),
      modulesRoot: BUNDLE,
      modules: resettable,
      compatibilityDate: date,
      bindings: { ...common.bindings },
      durableObjects: OWN_SHARDS,
      serviceBindings: storesFrom(name),
    })),
  );
  const link = {
    name: LINK_WORKER,
    modulesRoot: BUNDLE,
    modules: await linkModules(),
    compatibilityDate: date,
    serviceBindings: { SERVER: world.server },
  };
  return [...places, ...objects, link];
}
