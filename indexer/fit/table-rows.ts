/** A query table in full precision, read a block at a time: the largest do not fit in memory as a whole. */

/** Rows by token id, in the encoder's space or the rotated one, as whoever makes them says. */
export interface TableRows {
  /** Token ids are 0 to `vocabulary` - 1; a row of zeros is the row of a token that has none. */
  readonly vocabulary: number;
  readonly dimension: number;
  /**
   * Rows [first, first + count), row-major, finite. The values are the caller's to read until the next call,
   * not to change.
   */
  read(first: number, count: number): Promise<Float32Array>;
}

/** The rows of a table that lies in memory, `vocabulary` x `dimension`. */
export function rowsInMemory(values: Float32Array, dimension: number): TableRows {
  return {
    vocabulary: values.length / dimension,
    dimension,
    read: async (first, count) => values.subarray(first * dimension, (first + count) * dimension),
  };
}
