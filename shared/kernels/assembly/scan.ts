import { zipHigh, zipLow } from "./lanes";

// S(code) is a sum over the code's half bytes of a function of the half byte alone, so every
// half byte gets a table of 16 answers, and one swizzle looks 16 codes up in it at once (as
// Faiss does for product codes, https://github.com/facebookresearch/faiss/wiki/Fast-accumulation-of-PQ-and-AQ-codes-(FastScan)).
// Codes lie one after another, so 8 bytes of 16 codes are transposed first. Counting the bits
// of (code & plane) instead needs no tables but took twice the time: x86 has no byte popcount
// that WebAssembly can reach.
//
// A table entry is the sum of four query values, -32..28, plus 32: unsigned, four of them fit
// a byte (240) and those of 4,096 dimensions fit 16 bits (61,440).

/** Added to each table entry to make it unsigned; a code of P bits collects it P/4 times, 8 P in all. */
const BIAS: i32 = 32;

/** The query value at bit j of the four planes. */
// @ts-ignore: decorator
@inline
function queryValue(planes: usize, width: usize, j: usize): i32 {
  const at = planes + (j >> 3);
  const shift = <u32>j & 7;
  const bit0: i32 = (load<u8>(at) >> shift) & 1;
  const bit1: i32 = (load<u8>(at + width) >> shift) & 1;
  const bit2: i32 = (load<u8>(at + 2 * width) >> shift) & 1;
  const bit3: i32 = (load<u8>(at + 3 * width) >> shift) & 1;
  return bit0 + 2 * bit1 + 4 * bit2 - 8 * bit3;
}

/** Tables of 16 bytes, two for each byte of a code: its low half, then its high half. */
function buildTables(planes: usize, dimension: usize, tables: usize): void {
  const width = dimension >> 3;
  for (let j: usize = 0; j < dimension; j += 4) {
    const table = tables + (j << 2);
    store<u8>(table, BIAS);
    // Bit k doubles the table: entries with it are those without it plus one query value.
    for (let k: usize = 0; k < 4; k++) {
      const value = queryValue(planes, width, j + k);
      const half: usize = 1 << k;
      for (let n: usize = 0; n < half; n++) {
        store<u8>(table + half + n, <i32>load<u8>(table + n) + value);
      }
    }
  }
}

/** Biased sums of one byte of 16 codes, each 0..120. */
// @ts-ignore: decorator
@inline
function lookUp(bytes: v128, table: usize): v128 {
  const mask = i8x16.splat(15);
  const low = i8x16.swizzle(v128.load(table), v128.and(bytes, mask));
  const high = i8x16.swizzle(v128.load(table, 16), v128.and(i16x8.shr_u(bytes, 4), mask));
  return i8x16.add(low, high);
}

/** Eight bytes of codes c and c + 8, in turn. */
// @ts-ignore: decorator
@inline
function loadPair(at: usize, c: usize, width: usize): v128 {
  return zipLow(v128.load64_zero(at + c * width), v128.load64_zero(at + (c + 8) * width));
}

/** Biased sums of two neighbouring bytes of 16 codes, each 0..240. */
// @ts-ignore: decorator
@inline
function lookUpTwo(first: v128, second: v128, table: usize): v128 {
  return i8x16.add(lookUp(first, table), lookUp(second, table + 32));
}

/**
 * 2 S - querySum of 16 codes, by way of four vectors of four. `estimates` and `factors` point
 * to the first of them.
 */
// @ts-ignore: decorator
@inline
function estimate16(
  codes: usize,
  factors: usize,
  dimension: usize,
  tables: usize,
  offset: v128,
  estimates: usize,
): void {
  const width = dimension >> 3;
  // `all` takes pairs of byte sums as they are, `odd` their upper bytes, so all - (odd << 8) are
  // the lower bytes: two additions and a shift instead of two widenings.
  let all = i16x8.splat(0);
  let odd = i16x8.splat(0);
  for (let b: usize = 0; b < width; b += 8, tables += 256) {
    const at = codes + b;
    // Sixteen rows of eight bytes become eight rows of sixteen in four rounds of zips, each of
    // which halves the distance between codes that stand side by side: 8, 4, 2, 1.
    const a0 = loadPair(at, 0, width);
    const a1 = loadPair(at, 1, width);
    const a2 = loadPair(at, 2, width);
    const a3 = loadPair(at, 3, width);
    const a4 = loadPair(at, 4, width);
    const a5 = loadPair(at, 5, width);
    const a6 = loadPair(at, 6, width);
    const a7 = loadPair(at, 7, width);
    const b0 = zipLow(a0, a4);
    const b1 = zipLow(a1, a5);
    const b2 = zipLow(a2, a6);
    const b3 = zipLow(a3, a7);
    const c0 = zipLow(b0, b2);
    const c1 = zipLow(b1, b3);
    const sums01 = lookUpTwo(zipLow(c0, c1), zipHigh(c0, c1), tables);
    const c2 = zipHigh(b0, b2);
    const c3 = zipHigh(b1, b3);
    const sums23 = lookUpTwo(zipLow(c2, c3), zipHigh(c2, c3), tables + 64);
    const b4 = zipHigh(a0, a4);
    const b5 = zipHigh(a1, a5);
    const b6 = zipHigh(a2, a6);
    const b7 = zipHigh(a3, a7);
    const c4 = zipLow(b4, b6);
    const c5 = zipLow(b5, b7);
    const sums45 = lookUpTwo(zipLow(c4, c5), zipHigh(c4, c5), tables + 128);
    const c6 = zipHigh(b4, b6);
    const c7 = zipHigh(b5, b7);
    const sums67 = lookUpTwo(zipLow(c6, c7), zipHigh(c6, c7), tables + 192);
    all = i16x8.add(all, i16x8.add(i16x8.add(sums01, sums23), i16x8.add(sums45, sums67)));
    const upper = i16x8.add(i16x8.shr_u(sums01, 8), i16x8.shr_u(sums23, 8));
    const upper2 = i16x8.add(i16x8.shr_u(sums45, 8), i16x8.shr_u(sums67, 8));
    odd = i16x8.add(odd, i16x8.add(upper, upper2));
  }
  const even = i16x8.sub(all, i16x8.shl(odd, 8));
  const low = v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  const high = v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
  estimate4(i32x4.extend_low_i16x8_u(low), offset, factors, estimates);
  estimate4(i32x4.extend_high_i16x8_u(low), offset, factors + 16, estimates + 16);
  estimate4(i32x4.extend_low_i16x8_u(high), offset, factors + 32, estimates + 32);
  estimate4(i32x4.extend_high_i16x8_u(high), offset, factors + 48, estimates + 48);
}

// @ts-ignore: decorator
@inline
function estimate4(sums: v128, offset: v128, factors: usize, estimates: usize): void {
  const doubled = i32x4.sub(i32x4.shl(sums, 1), offset);
  v128.store(estimates, f32x4.mul(f32x4.convert_i32x4_s(doubled), v128.load(factors)));
}

/** The biased sum of one code: the same tables without vectors, for the last 0 to 15 codes. */
function sumOfCode(code: usize, width: usize, tables: usize): i32 {
  let sum = 0;
  for (let b: usize = 0; b < width; b++, tables += 32) {
    const byte = load<u8>(code + b);
    sum += <i32>load<u8>(tables + (byte & 15)) + <i32>load<u8>(tables + 16 + (byte >> 4));
  }
  return sum;
}

/** `tables` is scratch space of 4 bytes for each dimension, 16-byte aligned. */
export function scanCodes(
  codes: usize,
  factors: usize,
  count: usize,
  dimension: usize,
  planes: usize,
  querySum: i32,
  estimates: usize,
  tables: usize,
): void {
  buildTables(planes, dimension, tables);
  const width = dimension >> 3;
  const offset = querySum + ((BIAS * <i32>dimension) >> 1);
  const offsets = i32x4.splat(offset);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const at = i << 2;
    estimate16(codes + i * width, factors + at, dimension, tables, offsets, estimates + at);
  }
  for (; i < count; i++) {
    const doubled: i32 = (sumOfCode(codes + i * width, width, tables) << 1) - offset;
    store<f32>(estimates + (i << 2), f32(doubled) * load<f32>(factors + (i << 2)));
  }
}
