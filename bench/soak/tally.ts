/** What came of a soak so far, as numbers that can be added up: one line of its log for each stretch of time. */
import { quantile, round } from "../result.ts";

/** Counts of one stretch. */
export interface Stretch {
  /** Seconds since the soak began, and how many of them this line is about. */
  readonly at_s: number;
  readonly seconds: number;
  /** Requests, those that needed a second attempt, and those without an answer after it. */
  readonly requests: number;
  readonly retried: number;
  readonly silent: number;
  /** Answers, each search of a batch being one. */
  readonly right: number;
  readonly partial: number;
  readonly wrong: number;
  /** Explicit errors after the second attempt, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Right and partial answers by the region that gave them, and how many versions they named. */
  readonly regions: Readonly<Record<string, number>>;
  readonly versions: number;
  /** Answers of a version that was replaced at home, and the longest that one had been, in seconds. */
  readonly stale: number;
  readonly stalest_s: number;
  /** Milliseconds of a request: median and 99th percentile of this stretch. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** What was done to the deployment. */
  readonly evictions: number;
  readonly published: number;
  readonly cuts: number;
  readonly store_faults: number;
  /** What is wrong, in words; the first of each stretch. */
  readonly examples: readonly string[];
}

/** Kinds of counts that are simply added. */
const ADDED = [
  "seconds",
  "requests",
  "retried",
  "silent",
  "right",
  "partial",
  "wrong",
  "stale",
  "evictions",
  "published",
  "cuts",
  "store_faults",
] as const;

/** What is counted one by one. */
export type Counted = Exclude<(typeof ADDED)[number], "seconds">;

const EXAMPLES = 20;

/** Counts while a stretch lasts. */
export class Tally {
  #counts = new Map<Counted, number>();
  #errors = new Map<string, number>();
  #regions = new Map<string, number>();
  #versions = new Set<string>();
  #latencies: number[] = [];
  #stalest = 0;
  #examples: string[] = [];

  add(what: Counted, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  error(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  wrong(what: string): void {
    this.add("wrong");
    if (this.#examples.length < EXAMPLES) this.#examples.push(what);
  }

  /** An answer that may stand, of this region and version; `staleS` seconds after that version was replaced, 0 for the newest. */
  answered(kind: "right" | "partial", region: string, version: string, staleS: number): void {
    this.add(kind);
    this.#regions.set(region, (this.#regions.get(region) ?? 0) + 1);
    this.#versions.add(version);
    if (staleS > 0) this.add("stale");
    this.#stalest = Math.max(this.#stalest, staleS);
  }

  took(ms: number): void {
    this.#latencies.push(ms);
  }

  /** The stretch that ends now; a new one begins. */
  end(at_s: number, seconds: number): Stretch {
    const count = (what: Counted) => this.#counts.get(what) ?? 0;
    const stretch: Stretch = {
      ...{
        at_s: round(at_s),
        seconds: round(seconds),
        requests: count("requests"),
        retried: count("retried"),
      },
      ...{ silent: count("silent"), right: count("right"), partial: count("partial"), wrong: count("wrong") },
      errors: Object.fromEntries(this.#errors),
      regions: Object.fromEntries(this.#regions),
      versions: this.#versions.size,
      stale: count("stale"),
      stalest_s: round(this.#stalest),
      p50_ms: this.#latencies.length === 0 ? 0 : round(quantile(this.#latencies, 0.5)),
      p99_ms: this.#latencies.length === 0 ? 0 : round(quantile(this.#latencies, 0.99)),
      ...{ evictions: count("evictions"), published: count("published"), cuts: count("cuts") },
      store_faults: count("store_faults"),
      examples: this.#examples,
    };
    this.#counts = new Map();
    this.#errors = new Map();
    this.#regions = new Map();
    this.#versions = new Set();
    this.#latencies = [];
    this.#stalest = 0;
    this.#examples = [];
    return stretch;
  }
}

/** All stretches as one. Quantiles do not add up: they are the greatest of any stretch. */
export function total(stretches: readonly Stretch[]): Stretch {
  const sum = (of: (stretch: Stretch) => number) => stretches.reduce((all, stretch) => all + of(stretch), 0);
  const most = (of: (stretch: Stretch) => number) => Math.max(0, ...stretches.map(of));
  const merged = (of: (stretch: Stretch) => Readonly<Record<string, number>>) => {
    const counts: Record<string, number> = {};
    for (const stretch of stretches)
      for (const [name, count] of Object.entries(of(stretch))) counts[name] = (counts[name] ?? 0) + count;
    return counts;
  };
  const added = Object.fromEntries(ADDED.map((name) => [name, sum((stretch) => stretch[name])]));
  return {
    // Safe: ADDED has each of these names.
    ...(added as Pick<Stretch, (typeof ADDED)[number]>),
    at_s: most(({ at_s }) => at_s),
    errors: merged(({ errors }) => errors),
    regions: merged(({ regions }) => regions),
    versions: most(({ versions }) => versions),
    stalest_s: most(({ stalest_s }) => stalest_s),
    p50_ms: most(({ p50_ms }) => p50_ms),
    p99_ms: most(({ p99_ms }) => p99_ms),
    examples: stretches.flatMap(({ examples }) => examples).slice(0, EXAMPLES),
  };
}
