/** Three regions for the tests of the router, and ways in which they fail. */
import type { RegionName } from "../../../shared/regions/region.ts";
import type { FakeRegion } from "../../helpers/many-regions.ts";

/** From Amsterdam, in their order of distance. */
export const NAMES = ["weur", "enam", "apac"] as const satisfies readonly RegionName[];
/** Regions of these names that are like this, the first being home. */
export const fakesOf = (regions: readonly FakeRegion[]) =>
  Object.fromEntries(regions.map((region, at) => [NAMES[at]!, region]));

/** All lists of this many of these values. */
export function* lists<T>(length: number, values: readonly T[]): Generator<readonly T[]> {
  if (length === 0) yield [];
  else for (const rest of lists(length - 1, values)) for (const value of values) yield [...rest, value];
}

/** Ways in which a region may fail a request. */
export const FAILURES: readonly Omit<FakeRegion, "seq">[] = [
  { pointer: "store/unavailable" },
  { pointer: "format/invalid" },
  { load: "blob/missing" },
  { load: "blob/corrupt" },
  { load: "binding/mismatch" },
  { search: "store/unavailable" },
  { search: "shard/unavailable" },
  { search: "shard/overloaded" },
];
