/** Every region of a deployment as this isolate sees it: the answer of `GET /v1/regions`. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { distanceKm, placeOf, type RequestPlace } from "../../shared/regions/nearest.ts";
import type { Place } from "../../shared/regions/region.ts";
import type {
  RegionIndexReport,
  RegionReport,
  RegionsReport,
  ShardReport,
} from "../../shared/regions/report.ts";
import type { IndexCache } from "../index-cache.ts";
import type { Circuits } from "./circuit.ts";
import { keyOf } from "./key.ts";
import { nearestFirst } from "./nearest-first.ts";
import type { Look, Plan, Plans } from "./plans.ts";
import type { ShardStates } from "./shard-states.ts";
import type { RegionStore } from "./stores.ts";

/** What a report is made from. */
export interface ReportPorts {
  readonly regions: readonly [ReportedRegion, ...ReportedRegion[]];
  readonly indexes: Pick<IndexCache, "entries" | "residentBytes">;
  readonly budgetBytes: number;
  readonly circuits: Circuits;
  readonly plans: Plans;
  /** Null where there are no objects for shards. */
  readonly shards: ShardStates | null;
  /** Milliseconds since 1970. */
  now(): number;
}

/** A region as it is reported of. */
export type ReportedRegion = Pick<RegionStore, "name" | "home" | "place" | "store">;

/** Indexes in one report, at most: each costs a read in every region. */
const MOST_INDEXES = 16;

/** The indexes that a report may be of: those that the deployment lists and those that are loaded, at most 16. */
export function reportedIndexes(
  listed: readonly string[],
  ports: Pick<ReportPorts, "indexes">,
): readonly string[] {
  const loaded = [...ports.indexes.entries().values()].map(({ index }) => index.name);
  return [...new Set([...listed, ...loaded])].slice(0, MOST_INDEXES);
}

/** The one index that is asked for, or all. Throws `index/not-found` for one that this deployment does not list and has not loaded. */
export function chosenIndexes(all: readonly string[], wanted: string | undefined): readonly string[] {
  if (wanted === undefined) return all;
  if (all.includes(wanted)) return [wanted];
  const message = `The deployment lists no index ${printable(wanted)}; it lists ${all.join(", ") || "none"}.`;
  throw new LightedgeError("index/not-found", message, { field: "index" });
}

/**
 * The regions from the nearest on, with these indexes. Never rejects: what cannot be read is null. Cost: a pointer for each index and
 * region, at most once a second; a manifest where it is new.
 */
export async function reportOf(
  ports: ReportPorts,
  from: RequestPlace | undefined,
  indexes: readonly string[],
): Promise<RegionsReport> {
  const place = from === undefined ? null : placeOf(from);
  const regions = nearestFirst(ports.regions, from);
  const looks = await Promise.all(
    regions.map((region) => Promise.all(indexes.map((index) => ports.plans.look(region, index)))),
  );
  const newest = indexes.map((_, at) => Math.max(...looks.map((own) => seqOf(own[at]!))));
  const reports = regions.map((region, at) => {
    const own = looks[at]!;
    const each = indexes.map((index, i) => indexReport(ports, region, index, own[i]!, newest[i]!));
    return regionReport(ports, region, place, own, each);
  });
  return {
    from: place,
    nearest: regions[0]!.name,
    resident_bytes: ports.indexes.residentBytes,
    budget_bytes: ports.budgetBytes,
    regions: reports,
  };
}

function regionReport(
  { circuits }: ReportPorts,
  { name, home, place }: ReportedRegion,
  from: Place | null,
  looks: readonly Look[],
  indexes: readonly RegionIndexReport[],
): RegionReport {
  const state = circuits.state(name);
  // That there is no such index is an answer of the store too.
  const answered = looks.filter(({ found }) => !("code" in found) || found.code === "index/not-found");
  return {
    region: name,
    title: place?.title ?? name,
    home,
    latitude: place?.latitude ?? null,
    longitude: place?.longitude ?? null,
    distance_km: place === null || from === null ? null : Math.round(distanceKm(place, from)),
    probe_ms: answered.length === 0 ? null : Math.min(...answered.map(({ ms }) => ms)),
    failing: state === null ? null : { code: state.code, try_in_ms: Math.round(state.tryInMs) },
    indexes,
  };
}

function indexReport(
  ports: ReportPorts,
  region: ReportedRegion,
  index: string,
  { found }: Look,
  newest: number,
): RegionIndexReport {
  if ("code" in found)
    return { index, version: null, age_s: null, behind: null, placement: null, shards: [] };
  return {
    index,
    version: found.version,
    age_s: Math.max(0, Math.floor((ports.now() - Date.parse(found.manifest.created)) / 1000)),
    behind: newest - found.seq,
    placement: found.placement,
    shards: shardReports(ports, region.name, index, found),
  };
}

/** Those in this isolate are loaded with their index; of those in objects is told what they answered last. */
function shardReports(
  { indexes, shards }: ReportPorts,
  region: string,
  index: string,
  { version, manifest, placement }: Plan,
): readonly ShardReport[] {
  const loaded = indexes.entries().get(keyOf(region, index))?.index.version === version;
  return blobsOf(manifest, "shard").map(({ sha256, bytes }, ordinal) => {
    if (placement === "objects" && shards !== null)
      return shards.report({ region, index, ordinal, sha256 }, bytes);
    return { shard: ordinal, state: loaded ? "loaded" : "cold", bytes };
  });
}

function seqOf({ found }: Look): number {
  return "code" in found ? 0 : found.seq;
}
