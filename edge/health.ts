/** What is known of the indexes' health without asking the store. */
import type { Proven } from "./index-cache.ts";
import type { Circuits } from "./regions/circuit.ts";
import { partsOf } from "./regions/key.ts";
import { placementOf } from "./regions/told.ts";
import { ageOf } from "./version.ts";

/** What a scheduled check found of one index in one region. */
export interface CheckResult {
  readonly index: string;
  readonly region: string;
  /** When, in ms since 1970. */
  readonly at: number;
  /** The newest version; null where none could be read. */
  readonly version: string | null;
  /** When the index was last known to be as its source, in ms since 1970: a run may find nothing to publish. */
  readonly asOf: number | null;
  /** The age that it is promised to stay below, in seconds; null where none is. */
  readonly maxAge: number | null;
  /** Versions that the newest region is ahead, and since when, in ms since 1970; null where that is not known, or none is. */
  readonly behind: number | null;
  readonly behindSince: number | null;
  /** What is wrong with the version, in words for an operator; null where nothing is. */
  readonly problem: string | null;
}

/** How it goes: `failing` where a version cannot be read in full, `stale` where one is older than promised. */
export type HealthStatus = "ok" | "stale" | "failing";

/**
 * The answer of `GET /health`, but for what does not depend on indexes: what is loaded under the keys of `keyOf`, and
 * the last scheduled check of each index in this isolate. `now` is in ms since 1970.
 */
export function healthOf(results: Iterable<CheckResult>, loaded: ReadonlyMap<string, Proven>, now: number) {
  const indexes = [...loaded].map(([key, { index }]) => ({
    index: index.name,
    region: partsOf(key).region,
    placement: placementOf(index),
    version: index.version,
    age_s: ageOf(index, now),
    resident_bytes: index.residentBytes,
    waiting: index.waiting.length,
  }));
  const checks = [...results];
  const checked = checks.map((check) => ({
    index: check.index,
    region: check.region,
    version: check.version,
    checked: new Date(check.at).toISOString(),
    age_s: ageAt(check),
    stale: isStale(check),
    behind: check.behind,
    problem: check.problem,
  }));
  const failing = checked.some(({ problem }) => problem !== null);
  const status: HealthStatus = failing
    ? "failing"
    : checks.some((check) => isStale(check) || isFarBehind(check))
      ? "stale"
      : "ok";
  return { status, indexes, checks: checked };
}

/** What this isolate holds against each region: the code of its last failure, and when it is tried again; null for nothing. */
export function regionStates(circuits: Circuits, regions: readonly { readonly name: string }[]) {
  return regions.map(({ name: region }) => {
    const state = circuits.state(region);
    return {
      region,
      failing: state?.code ?? null,
      try_in_s: state === null ? null : Math.ceil(state.tryInMs / 1000),
    };
  });
}

/** Whole seconds since the index was as its source, when it was checked. */
export function ageAt({ at, asOf }: CheckResult): number | null {
  return asOf === null ? null : Math.max(0, Math.floor((at - asOf) / 1000));
}

/** Whether the index was older than promised when it was checked. */
export function isStale(check: CheckResult): boolean {
  const age = ageAt(check);
  return check.maxAge !== null && age !== null && age > check.maxAge;
}

/** Whether a newer version has been in another region for longer than promised. */
export function isFarBehind({ at, behindSince, maxAge }: CheckResult): boolean {
  return behindSince !== null && maxAge !== null && (at - behindSince) / 1000 > maxAge;
}
