/**
 * How far a mean over queries could be off, had other queries of the same kind been asked: the
 * percentile bootstrap (Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3;
 * for measures of retrieval, Sakai 2006, "Evaluating evaluation metrics based on the bootstrap").
 *
 * Two lists of as many queries are resampled alike, so that a ratio or a difference of two systems
 * is taken over the same queries each time.
 */
import { Random } from "../random.ts";

/** The ends of a 95 % interval. Not a number where the measure is none. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1000;
const LEVEL = 0.95;
const SEED = 19_930;

/** The interval of a statistic of `count` queries; it is given their numbers, drawn with replacement. */
export function bootstrap(count: number, statistic: (picked: Uint32Array) => number): Interval {
  const random = new Random(SEED);
  const picked = new Uint32Array(count);
  const values = Float64Array.from({ length: RESAMPLES }, () => {
    for (let i = 0; i < count; i++) picked[i] = random.below(count);
    return statistic(picked);
  });
  // What is left when as many of the least as of the greatest are dropped.
  const dropped = Math.round((RESAMPLES * (1 - LEVEL)) / 2);
  values.sort();
  return { low: values[dropped]!, high: values[RESAMPLES - 1 - dropped]! };
}

/** The interval of a mean. */
export function meanInterval(values: readonly number[]): Interval {
  return bootstrap(values.length, (picked) => sum(values, picked) / picked.length);
}

/** The interval of the mean of `above` divided by the mean of `below`, query by query of the same lists. */
export function ratioInterval(above: readonly number[], below: readonly number[]): Interval {
  return bootstrap(above.length, (picked) => sum(above, picked) / sum(below, picked));
}

/** The interval of the mean difference `after - before` over the same queries. */
export function differenceInterval(after: readonly number[], before: readonly number[]): Interval {
  return meanInterval(after.map((value, at) => value - before[at]!));
}

function sum(values: readonly number[], picked: Uint32Array): number {
  let total = 0;
  for (const at of picked) total += values[at]!;
  return total;
}
