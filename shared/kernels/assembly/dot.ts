import { sumOfLanes, sumsOfFour } from "./lanes";

/** Adds the products of 16 int8 values at `vector` and 16 int16 query values to four running sums. */
// @ts-ignore: decorator
@inline
function dot16(sums: v128, vector: usize, queryLow: v128, queryHigh: v128): v128 {
  const values = v128.load(vector);
  const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(values), queryLow);
  const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(values), queryHigh);
  return i32x4.add(sums, i32x4.add(low, high));
}

/**
 * Four vectors at a time: they share the loads of the query, and their cache misses overlap. One from each quarter of the
 * rows: where rows are in order, these are four streams far apart, each of which the processor reads ahead of. Four neighbours
 * are one that it cannot make out, and came to two fifths of this from memory.
 */
export function dotRows(
  vectors: usize,
  rows: usize,
  count: usize,
  dimension: usize,
  query: usize,
  out: usize,
): void {
  // Bytes of a quarter of the numbers, and of the results: 4 for each fourth row.
  const quarter = count & ~3;
  for (let at = rows; at < rows + quarter; at += 4, out += 4) {
    const v0 = vectors + <usize>load<u32>(at) * dimension;
    const v1 = vectors + <usize>load<u32>(at + quarter) * dimension;
    const v2 = vectors + <usize>load<u32>(at + 2 * quarter) * dimension;
    const v3 = vectors + <usize>load<u32>(at + 3 * quarter) * dimension;
    let s0 = i32x4.splat(0);
    let s1 = i32x4.splat(0);
    let s2 = i32x4.splat(0);
    let s3 = i32x4.splat(0);
    for (let j: usize = 0; j < dimension; j += 16) {
      const queryLow = v128.load(query + (j << 1));
      const queryHigh = v128.load(query + (j << 1), 16);
      s0 = dot16(s0, v0 + j, queryLow, queryHigh);
      s1 = dot16(s1, v1 + j, queryLow, queryHigh);
      s2 = dot16(s2, v2 + j, queryLow, queryHigh);
      s3 = dot16(s3, v3 + j, queryLow, queryHigh);
    }
    const sums = sumsOfFour(s0, s1, s2, s3);
    store<i32>(out, i32x4.extract_lane(sums, 0));
    store<i32>(out + quarter, i32x4.extract_lane(sums, 1));
    store<i32>(out + 2 * quarter, i32x4.extract_lane(sums, 2));
    store<i32>(out + 3 * quarter, i32x4.extract_lane(sums, 3));
  }
  out += 3 * quarter;
  for (let at = rows + 4 * quarter; at < rows + (count << 2); at += 4, out += 4) {
    const vector = vectors + <usize>load<u32>(at) * dimension;
    let sums = i32x4.splat(0);
    for (let j: usize = 0; j < dimension; j += 16) {
      sums = dot16(sums, vector + j, v128.load(query + (j << 1)), v128.load(query + (j << 1), 16));
    }
    store<i32>(out, sumOfLanes(sums));
  }
}
