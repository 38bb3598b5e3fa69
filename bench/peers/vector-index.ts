/** What a vector library must do to be compared with. */

/** An index of vectors of one length, by inner product. */
export interface PeerIndex {
  readonly name: string;
  /** Adds all rows, on this thread. */
  build(vectors: Float32Array, dimension: number): void;
  /** How hard a search tries: `ef`, `expansion`. */
  effort(value: number): void;
  /** Rows of the best ten. The query has been put into the library's own form by `prepare`. */
  search(query: PreparedQuery): ArrayLike<number | bigint>;
  /** A query as the library wants it, so that no conversion is timed. */
  prepare(query: Float32Array): PreparedQuery;
}

/** A query in the form that a library takes. */
export type PreparedQuery = Float32Array | number[];

/** Links of a point and width of the search while building: the values that hnswlib's own examples and most comparisons use. */
export const GRAPH = { links: 16, buildEffort: 200 } as const;

/** Hits of a search. */
export const TOP = 10;
