/** What is known of the indexes' health without asking the store. */
import type { OpenIndex } from "../shared/engine/api.ts";
import { ageOf } from "./describe-index.ts";

/** What a scheduled check found of one index. */
export interface CheckResult {
  readonly index: string;
  /** When, in ms since 1970. */
  readonly at: number;
  /** The newest version; null where none could be read. */
  readonly version: string | null;
  /** When the index was last known to be as its source, in ms since 1970: a run may find nothing to publish. */
  readonly asOf: number | null;
  /** The age that it is promised to stay below, in seconds; null where none is. */
  readonly maxAge: number | null;
  /** What is wrong with the version, in words for an operator; null where nothing is. */
  readonly problem: string | null;
}

/** How it goes: `failing` where a version cannot be read in full, `stale` where one is older than promised. */
export type HealthStatus = "ok" | "stale" | "failing";

/**
 * The answer of `GET /health`, but for what does not depend on indexes: what is loaded, and the last scheduled
 * check of each index in this isolate. `now` is in ms since 1970.
 */
export function healthOf(checks: Iterable<CheckResult>, loaded: readonly OpenIndex[], now: number) {
  const indexes = loaded.map((index) => ({
    index: index.name,
    version: index.version,
    age_s: ageOf(index, now),
    resident_bytes: index.residentBytes,
    waiting: index.waiting.length,
  }));
  const checked = [...checks].map((check) => ({
    index: check.index,
    version: check.version,
    checked: new Date(check.at).toISOString(),
    age_s: ageAt(check),
    stale: isStale(check),
    problem: check.problem,
  }));
  const failing = checked.some(({ problem }) => problem !== null);
  const status: HealthStatus = failing ? "failing" : checked.some(({ stale }) => stale) ? "stale" : "ok";
  return { status, indexes, checks: checked };
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
