import { sumOfLanes } from "./lanes";

// Selection of the greatest values without sorting. Each value becomes an unsigned key that
// orders alike, 0 for "takes no part". A radix histogram of the keys' highest bits finds the
// bucket of the last value wanted, another of the next bits within that bucket, until the key
// is known in full; a last pass collects rows in order. Cost is linear whatever the values
// are, and no comparison depends on another, so the answer cannot depend on their order.

/** Bits that one histogram resolves, and its counters. */
const BITS: i32 = 11;
const BUCKETS: u32 = 2048;

/** Keys of four values. -0 becomes +0 by the addition; a negative float has all its bits turned, any other its sign only. */
// @ts-ignore: decorator
@inline
function keysOf<T>(values: v128): v128 {
  if (isFloat<T>()) {
    const bits = f32x4.add(values, f32x4.splat(0));
    return v128.xor(bits, v128.or(i32x4.shr_s(bits, 31), i32x4.splat(i32.MIN_VALUE)));
  }
  return i32x4.max_s(values, i32x4.splat(0));
}

/** Keys of the four values from `i` on; past the end they are 0. */
// @ts-ignore: decorator
@inline
function keysAt<T>(values: usize, i: u32, count: u32): v128 {
  const at = values + (<usize>i << 2);
  if (i + 4 <= count) return keysOf<T>(v128.load(at));
  let keys = v128.load32_zero(at);
  if (i + 1 < count) keys = v128.load_lane<u32>(at, keys, 1, 4);
  if (i + 2 < count) keys = v128.load_lane<u32>(at, keys, 2, 8);
  keys = keysOf<T>(keys);
  const within = i32x4.lt_u(i32x4(0, 1, 2, 3), i32x4.splat(count - i));
  return v128.and(keys, within);
}

/** One key of four; the lane is a constant once inlined. */
// @ts-ignore: decorator
@inline
function laneOf(keys: v128, lane: i32): u32 {
  if (lane == 0) return i32x4.extract_lane(keys, 0);
  if (lane == 1) return i32x4.extract_lane(keys, 1);
  if (lane == 2) return i32x4.extract_lane(keys, 2);
  return i32x4.extract_lane(keys, 3);
}

// @ts-ignore: decorator
@inline
function tally(histogram: usize, bucket: u32): void {
  const at = histogram + (<usize>bucket << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/**
 * Counts all keys by their bits from `shift` up, keys of 0 with the rest: there are at least
 * `wanted` others, so nobody reaches the zeros, and a loop without branches is worth more.
 */
// @ts-ignore: decorator
@inline
function countAll<T>(values: usize, count: u32, histogram: usize, shift: i32): void {
  memory.fill(histogram, 0, BUCKETS << 2);
  for (let i: u32 = 0; i < count; i += 4) {
    const buckets = i32x4.shr_u(keysAt<T>(values, i, count), shift);
    tally(histogram, laneOf(buckets, 0));
    tally(histogram, laneOf(buckets, 1));
    tally(histogram, laneOf(buckets, 2));
    tally(histogram, laneOf(buckets, 3));
  }
}

/** Counts by `(key >> shift) & width` the keys above 0 that agree with `prefix` in the bits from `fixed` up; few do. */
// @ts-ignore: decorator
@inline
function countWithin<T>(
  values: usize,
  count: u32,
  histogram: usize,
  prefix: u32,
  fixed: i32,
  shift: i32,
  width: u32,
): void {
  memory.fill(histogram, 0, BUCKETS << 2);
  const zero = i32x4.splat(0);
  const wantedBits = i32x4.splat(prefix >> fixed);
  for (let i: u32 = 0; i < count; i += 4) {
    const keys = keysAt<T>(values, i, count);
    const agree = i32x4.eq(i32x4.shr_u(keys, fixed), wantedBits);
    const mask = i32x4.bitmask(v128.andnot(agree, i32x4.eq(keys, zero)));
    if (mask == 0) continue;
    if (mask & 1) tally(histogram, (laneOf(keys, 0) >> shift) & width);
    if (mask & 2) tally(histogram, (laneOf(keys, 1) >> shift) & width);
    if (mask & 4) tally(histogram, (laneOf(keys, 2) >> shift) & width);
    if (mask & 8) tally(histogram, (laneOf(keys, 3) >> shift) & width);
  }
}

// What a search of a histogram leaves for the next: how many keys are still wanted from the bucket found.
let wantedInBucket: u32 = 0;

/** The bucket that holds the `wanted`th greatest key. At least `wanted` keys must have been counted. */
function findBucket(histogram: usize, wanted: u32): u32 {
  let bucket = BUCKETS - 1;
  let left = wanted;
  for (; bucket > 0; bucket--) {
    const inBucket = load<u32>(histogram + (<usize>bucket << 2));
    if (inBucket >= left) break;
    left -= inBucket;
  }
  wantedInBucket = left;
  return bucket;
}

// @ts-ignore: decorator
@inline
function collect<T>(values: usize, count: u32, threshold: u32, equals: u32, out: usize): u32 {
  const start = out;
  const bound = i32x4.splat(threshold);
  let equalsLeft = equals;
  for (let i: u32 = 0; i < count; i += 4) {
    const keys = keysAt<T>(values, i, count);
    let mask = i32x4.bitmask(i32x4.ge_u(keys, bound));
    if (mask == 0) continue;
    const same = i32x4.bitmask(i32x4.eq(keys, bound));
    for (; mask != 0; mask &= mask - 1) {
      const lane = ctz(mask);
      if (same & (1 << lane)) {
        if (equalsLeft == 0) continue;
        equalsLeft--;
      }
      store<u32>(out, i + lane);
      out += 4;
    }
  }
  return <u32>((out - start) >> 2);
}

/** Keys above 0, of which there are `present`, or'ed together into `union`. */
let present: u32 = 0;
let union: u32 = 0;

// @ts-ignore: decorator
@inline
function survey<T>(values: usize, count: u32): void {
  let zeros = i32x4.splat(0);
  let bits = i32x4.splat(0);
  for (let i: u32 = 0; i < count; i += 4) {
    const keys = keysAt<T>(values, i, count);
    zeros = i32x4.sub(zeros, i32x4.eq(keys, i32x4.splat(0)));
    bits = v128.or(bits, keys);
  }
  // Lanes past the end are zeros too, so they are counted as if the last vector were full.
  present = ((count + 3) & ~3) - sumOfLanes(zeros);
  union = laneOf(bits, 0) | laneOf(bits, 1) | laneOf(bits, 2) | laneOf(bits, 3);
}

// @ts-ignore: decorator
@inline
function top<T>(values: usize, count: u32, wanted: u32, out: usize, histogram: usize): u32 {
  if (wanted == 0 || count == 0) return 0;
  survey<T>(values, count);
  // With no more keys than wanted, every key above 0 goes; equals are not limited.
  if (present <= wanted) return collect<T>(values, count, 1, u32.MAX_VALUE, out);
  // Scores fill few of their 32 bits; starting at the highest one set saves a round.
  let fixed: i32 = 32 - clz(union);
  let shift = max(fixed - BITS, 0);
  countAll<T>(values, count, histogram, shift);
  let threshold = findBucket(histogram, wanted) << shift;
  while (shift > 0) {
    fixed = shift;
    shift = max(fixed - BITS, 0);
    countWithin<T>(values, count, histogram, threshold, fixed, shift, (1 << (fixed - shift)) - 1);
    threshold |= findBucket(histogram, wantedInBucket) << shift;
  }
  return collect<T>(values, count, threshold, wantedInBucket, out);
}

/** `scratch` is 8 KiB for the histogram; the rest is the contract's. */
export function topFloats(estimates: usize, count: u32, wanted: u32, out: usize, scratch: usize): u32 {
  return top<f32>(estimates, count, wanted, out, scratch);
}

/** As `topFloats`, over integers above 0. */
export function topInts(scores: usize, count: u32, wanted: u32, out: usize, scratch: usize): u32 {
  return top<i32>(scores, count, wanted, out, scratch);
}
