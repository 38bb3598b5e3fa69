/** What local serving is given and gives. */
import type { RegionName } from "../../shared/regions/region.ts";
import type { ServedStore } from "../store/service.ts";

/** A region and what answers for its store. */
export interface ServedRegion {
  readonly name: RegionName;
  readonly store: ServedStore;
}

/** What to serve and where. */
export interface ServeOptions {
  /** The store, or home's where there are regions. */
  readonly store: ServedStore;
  readonly host: string;
  /** 0 for any free port. With regions the first listens here, each other on the next port. */
  readonly port: number;
  /** Indexes that the page offers, the default first. */
  readonly indexes: readonly string[];
  /** Queries that the page suggests. */
  readonly examples: readonly string[];
  /** Seconds before a loaded index's pointer is read again. */
  readonly pointerMaxAge: number;
  /** The key that writes at the edge need; none are taken where it is absent. */
  readonly adminKey?: string;
  /** Regions, the first being home. Without them there is one store and no distance. */
  readonly regions?: readonly [ServedRegion, ...ServedRegion[]];
  /** Whether distances take their time; they do when absent. */
  readonly latency?: boolean;
  /** Seconds for which a region whose store cannot be reached answers from memory; as in a deployment when absent. */
  readonly maxStale?: number;
  /** Bytes that each isolate keeps resident, `MEMORY_LIMITS.residentBytes` when absent. */
  readonly residentBytes?: number;
  /** Isolates that the shard objects of a region are spread over; as many as hold all indexes when absent. */
  readonly shardIsolates?: number;
  /** Folder of the shard objects' storage, which outlives the server; a temporary one when absent. */
  readonly persist?: string;
  /** Port of the control of faults (`serve/control.ts`), 0 for any free one; no faults where it is absent. */
  readonly control?: number;
}

/** A server at work. */
export interface Serving {
  /** With regions, the address of home's place. */
  readonly url: string;
  /** Where requests of each region come in; one named `local` where there are none. */
  readonly places: readonly { readonly region: string; readonly url: string }[];
  /** Address of the control, whose path is `/faults`. */
  readonly control?: string;
  /** Whether a region's store can be reached: not while it is cut. */
  reaches(region: string): boolean;
  close(): Promise<void>;
}
