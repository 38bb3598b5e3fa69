/** What `GET /v1/regions` answers: every region of a deployment as the place that was asked sees it now. */
import type { ErrorCode } from "../errors.ts";
import type { Placement } from "../types.ts";
import type { Place } from "./region.ts";

/** A shard of an index in one region. */
export interface ShardReport {
  /** Its ordinal in the version. */
  readonly shard: number;
  /** `loaded`: its codes and postings are in memory; `cold`: they are not; `unreachable`: what would hold them does not answer. */
  readonly state: "loaded" | "cold" | "unreachable";
  /** Bytes in memory where it is loaded, else those that it would take. */
  readonly bytes: number;
}

/** An index in one region. */
export interface RegionIndexReport {
  readonly index: string;
  /** The version of the region's pointer; null where it could not be read, or there is none. */
  readonly version: string | null;
  /** Whole seconds since that version was built. */
  readonly age_s: number | null;
  /** Versions that the newest region is ahead; null where its own pointer could not be read. */
  readonly behind: number | null;
  readonly placement: Placement | null;
  readonly shards: readonly ShardReport[];
}

/** One region. */
export interface RegionReport {
  readonly region: string;
  readonly title: string;
  /** Whether versions are made there. */
  readonly home: boolean;
  /** Degrees; null for the one region of a deployment that names none. */
  readonly latitude: number | null;
  readonly longitude: number | null;
  /** Great circle from where the request comes from; null where either place is not known. */
  readonly distance_km: number | null;
  /** Milliseconds that reading a pointer from its store took just now; null where it failed. */
  readonly probe_ms: number | null;
  /** Why requests are kept away from it, and in how many ms the next may try; null where they are not. */
  readonly failing: { readonly code: ErrorCode; readonly try_in_ms: number } | null;
  readonly indexes: readonly RegionIndexReport[];
}

/** The answer. */
export interface RegionsReport {
  /** Where the request comes from, as well as it is known. */
  readonly from: Place | null;
  /** The region whose turn is first for requests from here; the first of `regions`, which go by distance. */
  readonly nearest: string;
  /** What this isolate keeps in memory, and may. */
  readonly resident_bytes: number;
  readonly budget_bytes: number;
  readonly regions: readonly RegionReport[];
}
