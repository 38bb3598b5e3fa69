/** What a query is to a shard: numbers, and no text. */

/** A query as shards take it. Independent of any shard: one serves all. */
export interface EncodedQuery {
  readonly dense: DenseQuery | null;
  readonly sparse: SparseQuery;
}

/** The dense side; absent when no token of the query has a row. */
export interface DenseQuery {
  /** `padded` values within +-2047. The unit query is about `scale * values`. */
  readonly values: Int16Array<ArrayBuffer>;
  readonly scale: number;
  /** Four bit planes of `padded / 8` bytes of the 4-bit values, and the sum of those values. */
  readonly planes: Uint8Array<ArrayBuffer>;
  readonly planeSum: number;
  /** Length of the sum of rows before it was made a unit vector. */
  readonly norm: number;
  /** Clusters to look into, each once; the nearest come first, which spares work and changes nothing. Null where the index has none. */
  readonly clusters: Uint32Array<ArrayBuffer> | null;
}

/** The sparse side: distinct tokens, ascending, each with count x weight x `scale` as a whole number. */
export interface SparseQuery {
  readonly terms: readonly number[];
  readonly weights: readonly number[];
  readonly scale: number;
}
