import { zipHigh, zipLow } from "./lanes";

// S(code) is a sum over the code's half bytes of a function of the half byte alone, so every
// half byte gets a table of 16 answers, and one swizzle looks 16 codes up in it at once (as
// Faiss does for product codes, https://github.com/facebookresearch/faiss/wiki/Fast-accumulation-of-PQ-and-AQ-codes-(FastScan)).
// For that, codes lie in memory in blocks of 64, byte by byte: what comes from a file is laid so once, by
// `blockCodes`, as doing it in every scan took half its time. Counting the bits of
// (code & plane) instead needs no tables but took twice the time of that: x86 has no byte popcount
// that WebAssembly can reach.
//
// 64 codes, because their bytes are then read in one stream, a whole cache line for each byte of a code. Blocks of 16, read two at
// a time, came to a third of that from memory: the two streams, 768 bytes apart, kept the processor from reading ahead.
//
// A table entry is the sum of up to four query values less the least such sum: 0..28, so that eight of them fit a byte (224)
// and those of 4,096 dimensions 16 bits (28,672), also with a sign.

/** Bytes behind the tables: a mask of the low half of each byte, then what entries were raised by, all tables together. */
const TABLES_MASK: usize = 0;
const TABLES_RAISED: usize = 16;

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
  let raised: i32 = 0;
  for (let j: usize = 0; j < dimension; j += 4) {
    const table = tables + (j << 2);
    let least: i32 = 0;
    for (let k: usize = 0; k < 4; k++) least -= min(0, queryValue(planes, width, j + k));
    raised += least;
    store<u8>(table, least);
    // Bit k doubles the table: entries with it are those without it plus one query value.
    for (let k: usize = 0; k < 4; k++) {
      const value = queryValue(planes, width, j + k);
      const half: usize = 1 << k;
      for (let n: usize = 0; n < half; n++) {
        store<u8>(table + half + n, <i32>load<u8>(table + n) + value);
      }
    }
  }
  const end = tables + (dimension << 2);
  v128.store(end + TABLES_MASK, i8x16.splat(15));
  v128.store(end + TABLES_RAISED, i32x4.replace_lane(i32x4.splat(0), 0, raised));
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
  const size = width << 6;
  const end = codes + ((count + 63) >> 6) * size;
  for (; codes < end; codes += size) {
    memory.copy(scratch, codes, size);
    for (let c: usize = 0; c < 64; c += 16) {
      for (let b: usize = 0; b < width; b += 8) blockBytes(scratch + c * width + b, width, codes + (b << 6) + c);
    }
  }
}

/** Eight bytes of sixteen codes: sixteen rows become eight rows, a block's line apart. */
// @ts-ignore: decorator
@inline
function blockBytes(at: usize, width: usize, out: usize): void {
  // In four rounds of zips, each of which halves the distance between codes that stand side by side: 8, 4, 2, 1.
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
  storeTwo(out + 128, zipHigh(b0, b2), zipHigh(b1, b3));
  const b4 = zipHigh(a0, a4);
  const b5 = zipHigh(a1, a5);
  const b6 = zipHigh(a2, a6);
  const b7 = zipHigh(a3, a7);
  storeTwo(out + 256, zipLow(b4, b6), zipLow(b5, b7));
  storeTwo(out + 384, zipHigh(b4, b6), zipHigh(b5, b7));
}

// @ts-ignore: decorator
@inline
function storeTwo(out: usize, even: v128, odd: v128): void {
  v128.store(out, zipLow(even, odd));
  v128.store(out, zipHigh(even, odd), 64);
}

/** The answers to byte b of 16 codes, each 0..56. */
// @ts-ignore: decorator
@inline
function lookUp(codes: usize, b: usize, low: v128, high: v128, mask: v128): v128 {
  const bytes = v128.load(codes + (b << 6));
  return i8x16.add(
    i8x16.relaxed_swizzle(low, v128.and(bytes, mask)),
    i8x16.relaxed_swizzle(high, v128.and(i16x8.shr_u(bytes, 4), mask)),
  );
}

/** 2 S - querySum times the factor, of a whole block of codes: its four sixteens share the loads of the tables. */
function estimate64(codes: usize, factors: usize, width: usize, tables: usize, offset: v128, estimates: usize): void {
  // V8 makes a constant anew in three instructions wherever it is used, which were a third of all; what is loaded it keeps.
  const mask = v128.load(tables + (width << 5) + TABLES_MASK);
  // `all` takes pairs of byte sums as they are, `odd` their upper bytes, so all - (odd << 8) are
  // the lower bytes: two additions and a shift instead of two widenings.
  let all0 = i16x8.splat(0);
  let odd0 = i16x8.splat(0);
  let all1 = i16x8.splat(0);
  let odd1 = i16x8.splat(0);
  let all2 = i16x8.splat(0);
  let odd2 = i16x8.splat(0);
  let all3 = i16x8.splat(0);
  let odd3 = i16x8.splat(0);
  const end = codes + (width << 6);
  for (; codes < end; codes += 256, tables += 128) {
    let low = v128.load(tables);
    let high = v128.load(tables, 16);
    let sums0 = lookUp(codes, 0, low, high, mask);
    let sums1 = lookUp(codes + 16, 0, low, high, mask);
    let sums2 = lookUp(codes + 32, 0, low, high, mask);
    let sums3 = lookUp(codes + 48, 0, low, high, mask);
    for (let b: usize = 1; b < 4; b++) {
      low = v128.load(tables + (b << 5));
      high = v128.load(tables + (b << 5), 16);
      sums0 = i8x16.add(sums0, lookUp(codes, b, low, high, mask));
      sums1 = i8x16.add(sums1, lookUp(codes + 16, b, low, high, mask));
      sums2 = i8x16.add(sums2, lookUp(codes + 32, b, low, high, mask));
      sums3 = i8x16.add(sums3, lookUp(codes + 48, b, low, high, mask));
    }
    all0 = i16x8.add(all0, sums0);
    odd0 = i16x8.add(odd0, i16x8.shr_u(sums0, 8));
    all1 = i16x8.add(all1, sums1);
    odd1 = i16x8.add(odd1, i16x8.shr_u(sums1, 8));
    all2 = i16x8.add(all2, sums2);
    odd2 = i16x8.add(odd2, i16x8.shr_u(sums2, 8));
    all3 = i16x8.add(all3, sums3);
    odd3 = i16x8.add(odd3, i16x8.shr_u(sums3, 8));
  }
  finish16(all0, odd0, offset, factors, estimates);
  finish16(all1, odd1, offset, factors + 64, estimates + 64);
  finish16(all2, odd2, offset, factors + 128, estimates + 128);
  finish16(all3, odd3, offset, factors + 192, estimates + 192);
}

/** The same of sixteen codes of a block, a quarter of each of its lines. */
function estimate16(codes: usize, factors: usize, width: usize, tables: usize, offset: v128, estimates: usize): void {
  const mask = v128.load(tables + (width << 5) + TABLES_MASK);
  let all = i16x8.splat(0);
  let odd = i16x8.splat(0);
  const end = codes + (width << 6);
  for (; codes < end; codes += 256, tables += 128) {
    let sums = lookUp(codes, 0, v128.load(tables), v128.load(tables, 16), mask);
    sums = i8x16.add(sums, lookUp(codes, 1, v128.load(tables, 32), v128.load(tables, 48), mask));
    sums = i8x16.add(sums, lookUp(codes, 2, v128.load(tables, 64), v128.load(tables, 80), mask));
    sums = i8x16.add(sums, lookUp(codes, 3, v128.load(tables, 96), v128.load(tables, 112), mask));
    all = i16x8.add(all, sums);
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8));
  }
  finish16(all, odd, offset, factors, estimates);
}

/** Sums are of 16 bits, and what is made of them has no more: no estimate leaves the query's own greatest, 28,672. */
// @ts-ignore: decorator
@inline
function finish16(all: v128, odd: v128, offset: v128, factors: usize, estimates: usize): void {
  const even = i16x8.sub(i16x8.shl(i16x8.sub(all, i16x8.shl(odd, 8)), 1), offset);
  const other = i16x8.sub(i16x8.shl(odd, 1), offset);
  const low = v128.shuffle<i16>(even, other, 0, 8, 1, 9, 2, 10, 3, 11);
  const high = v128.shuffle<i16>(even, other, 4, 12, 5, 13, 6, 14, 7, 15);
  estimate4(i32x4.extend_low_i16x8_s(low), factors, estimates);
  estimate4(i32x4.extend_high_i16x8_s(low), factors + 16, estimates + 16);
  estimate4(i32x4.extend_low_i16x8_s(high), factors + 32, estimates + 32);
  estimate4(i32x4.extend_high_i16x8_s(high), factors + 48, estimates + 48);
}

// @ts-ignore: decorator
@inline
function estimate4(sums: v128, factors: usize, estimates: usize): void {
  v128.store(estimates, f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(factors)));
}

/** `scratch` takes the estimates of sixteen codes of which only some are wanted. The rest is the contract's. */
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
  const raised = load<i32>(tables + (dimension << 2) + TABLES_RAISED);
  const offset = i16x8.splat(<i16>(querySum + 2 * raised));
  const end = first + count;
  let i = first;
  while (i < end) {
    const from = i & ~15;
    const block = codes + (i >> 6) * (width << 6) + (from & 63);
    const factor = factors + (from << 2);
    let next = i + 64;
    if ((i & 63) == 0 && next <= end) {
      estimate64(block, factor, width, tables, offset, estimates);
    } else {
      next = min(from + 16, end);
      if (next - i == 16) {
        estimate16(block, factor, width, tables, offset, estimates);
      } else {
        estimate16(block, factor, width, tables, offset, scratch);
        memory.copy(estimates, scratch + ((i - from) << 2), (next - i) << 2);
      }
    }
    estimates += (next - i) << 2;
    i = next;
  }
}
