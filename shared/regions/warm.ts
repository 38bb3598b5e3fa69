/** What `POST /v1/warm` takes and gives: the answer of a deployment that was asked to have indexes ready. */

/** The body of a request. What is absent means all that the deployment has. */
export interface WarmRequest {
  readonly indexes?: readonly string[];
  readonly regions?: readonly string[];
}

/** An index that is ready in a region. */
export interface WarmedIndex {
  readonly index: string;
  readonly region: string;
  readonly version: string;
  /** Shards that were asked to be ready, 0 where the index is kept in the Worker. */
  readonly shards: number;
  /** Milliseconds it took. */
  readonly ms: number;
}

/** An index that is not ready in a region, and why. */
export interface NotWarmedIndex {
  readonly index: string;
  readonly region: string;
  /** Code of `shared/errors.ts`. */
  readonly code: string;
  readonly message: string;
}

/** The body of an answer. */
export interface WarmAnswer {
  readonly warmed: readonly WarmedIndex[];
  readonly failed: readonly NotWarmedIndex[];
}
