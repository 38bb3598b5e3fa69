// The greatest value of each row out of values in any order, a row coming more than once: what it costs goes by
// the values, not by the rows there are. A bit a row says whether it has a value, so that no value need be
// cleared between queries.

// Rows that got their first value.
let fresh: u32 = 0;

// @ts-ignore: decorator
@inline
function put(row: usize, value: f32, best: usize, seen: usize): void {
  const at = best + (row << 2);
  const word = seen + ((row >> 5) << 2);
  const bit = 1 << (<u32>row & 31);
  const bits = load<u32>(word);
  if ((bits & bit) == 0) {
    store<u32>(word, bits | bit);
    store<f32>(at, value);
    fresh++;
  } else if (value > load<f32>(at)) {
    store<f32>(at, value);
  }
}

/** Values that are too small are passed over sixteen at a time: once `least` is known, nearly all of them are. */
export function scatterMax(
  values: usize,
  rows: usize,
  count: usize,
  least: f32,
  best: usize,
  seen: usize,
): u32 {
  fresh = 0;
  const bound = f32x4.splat(least);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const at = values + (i << 2);
    const a = f32x4.ge(v128.load(at), bound);
    const b = f32x4.ge(v128.load(at, 16), bound);
    const c = f32x4.ge(v128.load(at, 32), bound);
    const d = f32x4.ge(v128.load(at, 48), bound);
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue;
    const low = i16x8.narrow_i32x4_s(a, b);
    const high = i16x8.narrow_i32x4_s(c, d);
    for (let mask = i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)); mask != 0; mask &= mask - 1) {
      const k = i + ctz(mask);
      put(load<u16>(rows + (k << 1)), load<f32>(values + (k << 2)), best, seen);
    }
  }
  for (; i < count; i++) {
    const value = load<f32>(values + (i << 2));
    if (value >= least) put(load<u16>(rows + (i << 1)), value, best, seen);
  }
  return fresh;
}

/** The rest is the contract's. */
export function gatherSeen(best: usize, seen: usize, count: u32, rows: usize): u32 {
  let found: u32 = 0;
  for (let first: u32 = 0; first < count; first += 32, seen += 4) {
    let bits = load<u32>(seen);
    if (bits == 0) continue;
    store<u32>(seen, 0);
    for (; bits != 0; bits &= bits - 1, found++) {
      const row = first + ctz(bits);
      store<u16>(rows + (<usize>found << 1), <u16>row);
      store<f32>(best + (<usize>found << 2), load<f32>(best + (<usize>row << 2)));
    }
  }
  return found;
}
