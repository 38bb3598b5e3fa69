import { zipHigh, zipLow } from "./lanes";

// S(code) is a sum over the code's half bytes of a function of the half byte alone, so every
// half byte gets a table of 16 answers, and one swizzle looks 16 codes up in it at once (as
// Faiss does for product codes, https://github.com/facebookresearch/faiss/wiki/Fast-accumulation-of-PQ-and-AQ-codes-(FastScan)).
// For that, codes lie in memory in blocks of sixteen, byte by byte: what comes from a file is laid so once, by
// `blockCodes`, as doing it in every scan took half its time. Counting the bits of
// (code & plane) instead needs no tables but took twice the time of that: x86 has no byte popcount
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
export function scanTables(planes: usize, dimension: usize, tables: usize): void {
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

/** Eight bytes of codes c and c + 8, in turn. */
// @ts-ignore: decorator
@inline
function loadPair(at: usize, c: usize, width: usize): v128 {
  return zipLow(v128.load64_zero(at + c * width), v128.load64_zero(at + (c + 8) * width));
}

/** `scratch` holds one block of codes as they were. */
export function blockCodes(codes: usize, count: usize, dimension: usize, scratch: usize): void {
  const width = dimension >> 3;
  const size = width << 4;
  const end = codes + ((count + 15) >> 4) * size;
  for (; codes < end; codes += size) {
    memory.copy(scratch, codes, size);
    for (let b: usize = 0; b < width; b += 8) {
      // Sixteen rows of eight bytes become eight rows of sixteen in four rounds of zips, each of
      // which halves the distance between codes that stand side by side: 8, 4, 2, 1.
      const at = scratch + b;
      const out = codes + (b << 4);
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
      storeTwo(out, zipLow(b0, b2), zipLow(b1, b3));
      storeTwo(out + 32, zipHigh(b0, b2), zipHigh(b1, b3));
      const b4 = zipHigh(a0, a4);
      const b5 = zipHigh(a1, a5);
      const b6 = zipHigh(a2, a6);
      const b7 = zipHigh(a3, a7);
      storeTwo(out + 64, zipLow(b4, b6), zipLow(b5, b7));
      storeTwo(out + 96, zipHigh(b4, b6), zipHigh(b5, b7));
    }
  }
}

// @ts-ignore: decorator
@inline
function storeTwo(out: usize, even: v128, odd: v128): void {
  v128.store(out, zipLow(even, odd));
  v128.store(out, zipHigh(even, odd), 16);
}

/** Biased sums of two neighbouring bytes of 16 codes, each 0..240. */
// @ts-ignore: decorator
@inline
function lookUp(codes: usize, low0: v128, high0: v128, low1: v128, high1: v128): v128 {
  const mask = i8x16.splat(15);
  const first = v128.load(codes);
  const second = v128.load(codes, 16);
  const a = i8x16.relaxed_swizzle(low0, v128.and(first, mask));
  const b = i8x16.relaxed_swizzle(high0, v128.and(i16x8.shr_u(first, 4), mask));
  const c = i8x16.relaxed_swizzle(low1, v128.and(second, mask));
  const d = i8x16.relaxed_swizzle(high1, v128.and(i16x8.shr_u(second, 4), mask));
  return i8x16.add(i8x16.add(a, b), i8x16.add(c, d));
}

/** 2 S - querySum times the factor, of two blocks of codes: they share the loads of the tables. */
// @ts-ignore: decorator
@inline
function estimate32(
  codes: usize,
  factors: usize,
  width: usize,
  tables: usize,
  offset: v128,
  estimates: usize,
): void {
  // `all` takes pairs of byte sums as they are, `odd` their upper bytes, so all - (odd << 8) are
  // the lower bytes: two additions and a shift instead of two widenings.
  const other = codes + (width << 4);
  const end = other;
  let all0 = i16x8.splat(0);
  let odd0 = i16x8.splat(0);
  let all1 = i16x8.splat(0);
  let odd1 = i16x8.splat(0);
  const step = width << 4;
  for (; codes < end; codes += 32, tables += 64) {
    const low0 = v128.load(tables);
    const high0 = v128.load(tables, 16);
    const low1 = v128.load(tables, 32);
    const high1 = v128.load(tables, 48);
    const sums0 = lookUp(codes, low0, high0, low1, high1);
    all0 = i16x8.add(all0, sums0);
    odd0 = i16x8.add(odd0, i16x8.shr_u(sums0, 8));
    const sums1 = lookUp(codes + step, low0, high0, low1, high1);
    all1 = i16x8.add(all1, sums1);
    odd1 = i16x8.add(odd1, i16x8.shr_u(sums1, 8));
  }
  finish16(all0, odd0, offset, factors, estimates);
  finish16(all1, odd1, offset, factors + 64, estimates + 64);
}

// @ts-ignore: decorator
@inline
function estimate16(
  codes: usize,
  factors: usize,
  width: usize,
  tables: usize,
  offset: v128,
  estimates: usize,
): void {
  const end = codes + (width << 4);
  let all = i16x8.splat(0);
  let odd = i16x8.splat(0);
  for (; codes < end; codes += 32, tables += 64) {
    const low0 = v128.load(tables);
    const sums = lookUp(codes, low0, v128.load(tables, 16), v128.load(tables, 32), v128.load(tables, 48));
    all = i16x8.add(all, sums);
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8));
  }
  finish16(all, odd, offset, factors, estimates);
}

// @ts-ignore: decorator
@inline
function finish16(all: v128, odd: v128, offset: v128, factors: usize, estimates: usize): void {
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

/** `scratch` takes the estimates of a block of which only some are wanted. The rest is the contract's. */
export function scanCodes(
  codes: usize,
  factors: usize,
  first: usize,
  count: usize,
  dimension: usize,
  tables: usize,
  querySum: i32,
  estimates: usize,
  scratch: usize,
): void {
  const width = dimension >> 3;
  const size = width << 4;
  const offset = i32x4.splat(querySum + ((BIAS * <i32>dimension) >> 1));
  const end = first + count;
  let block = codes + (first >> 4) * size;
  let factor = factors + ((first >> 4) << 6);
  let i = first & ~15;
  if (i < first) {
    const within = min(end, i + 16) - first;
    estimate16(block, factor, width, tables, offset, scratch);
    memory.copy(estimates, scratch + ((first - i) << 2), within << 2);
    estimates += within << 2;
    block += size;
    factor += 64;
    i += 16;
  }
  for (; i + 32 <= end; i += 32) {
    estimate32(block, factor, width, tables, offset, estimates);
    block += size << 1;
    factor += 128;
    estimates += 128;
  }
  for (; i + 16 <= end; i += 16) {
    estimate16(block, factor, width, tables, offset, estimates);
    block += size;
    factor += 64;
    estimates += 64;
  }
  if (i < end) {
    estimate16(block, factor, width, tables, offset, scratch);
    memory.copy(estimates, scratch, (end - i) << 2);
  }
}
