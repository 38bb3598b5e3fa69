/** What is asked of regions, and what comes back. */
import type { OpenIndex } from "../../shared/engine/api.ts";
import type { PassedRegion } from "../../shared/types.ts";
import type { Freshness } from "../freshness.ts";
import type { Background, Proven } from "../index-cache.ts";

/** A region as requests are sent to it. */
export interface RoutedRegion {
  readonly name: string;
  /** Whether versions are made there; the first of a deployment. */
  readonly home: boolean;
}

/** A question to an index. */
export interface Question<T> {
  readonly index: string;
  /** Regions that may answer, in the order they are asked: all of the deployment, the nearest first. */
  readonly regions: readonly RoutedRegion[];
  readonly freshness: Freshness;
  /** What is loaded is asked only if this is true of it, else after a look at the store, whether or not it is then. */
  passes?(found: Proven): boolean;
  /** Whether no answer is preferred to a partial one. */
  readonly strict?: boolean;
  readonly background: Background;
  /** Asks the index of one region, whose shards have so many milliseconds where they are elsewhere; as many as they want when absent. */
  ask(index: OpenIndex, patienceMs?: number): Promise<T>;
  /** Ordinals of shards that this answer lacks; none where it can lack none. */
  missing?(answer: T): readonly number[];
}

/** An answer, and where it came from. */
export interface Routed<T> extends Proven {
  readonly answer: T;
  readonly region: string;
  /** Nearer regions that did not answer; empty where the nearest did. */
  readonly passed: readonly PassedRegion[];
}
