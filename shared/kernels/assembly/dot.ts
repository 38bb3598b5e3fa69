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
 * Four vectors at a time: they share the loads of the query, their cache misses overlap, and
 * their totals fill one vector.
 */
export function dotRows(
  vectors: usize,
  rows: usize,
  count: usize,
  dimension: usize,
  query: usize,
  out: usize,
): void {
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const at = rows + (i << 2);
    const v0 = vectors + <usize>load<u32>(at) * dimension;
    const v1 = vectors + <usize>load<u32>(at, 4) * dimension;
    const v2 = vectors + <usize>load<u32>(at, 8) * dimension;
    const v3 = vectors + <usize>load<u32>(at, 12) * dimension;
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
    v128.store(out + (i << 2), sumsOfFour(s0, s1, s2, s3));
  }
  for (; i < count; i++) {
    const vector = vectors + <usize>load<u32>(rows + (i << 2)) * dimension;
    let sums = i32x4.splat(0);
    for (let j: usize = 0; j < dimension; j += 16) {
      sums = dot16(sums, vector + j, v128.load(query + (j << 1)), v128.load(query + (j << 1), 16));
    }
    store<i32>(out + (i << 2), sumOfLanes(sums));
  }
}
