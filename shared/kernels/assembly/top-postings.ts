import {
  addBlock,
  belowOf,
  boundAt,
  boundOf,
  isGaps,
  isWide,
  lookUp,
  markBlock,
  mostOf,
  openList,
  passBlock,
  STATE,
  sumList,
} from "./lists";
import { topInts } from "./top";

// MaxScore (Turtle and Flood 1995) over blocks of 256 documents with the blocks' own bounds, as in block-max indexes
// (Ding and Suel 2011). Lists come with the least that they can add first. In each block those that could not lift a
// document to the least score wanted, all together, are not added up: they are looked up for
// documents that the others have brought close enough.

// The scratch space: the histogram of `topInts`, one of the scores found, sums of a block, bits of a block.
const FOUND: usize = 8192;
const SUMS: usize = 12288;
const TOUCHED: usize = 13312;
const BUCKETS: u32 = 1024;

/** Found so far, ascending: documents and scores in two lists of this many places each, a third behind them for choosing. */
let rows: usize = 0;
let scores: usize = 0;
let chosen: usize = 0;
let room: u32 = 0;
let found: u32 = 0;
let wantedInAll: u32 = 0;
let scratchAt: usize = 0;

/** A document needs this score to be among the best; what is found later loses every tie. */
let least: i32 = 1;
/** Documents found with a score of this bucket or above; a bucket is a score without its lowest `shift` bits. */
let bucket: u32 = 0;
let within: u32 = 0;
let shift: i32 = 0;

/** Keeps the best of what was found. */
function choose(): void {
  const count = topInts(scores, found, wantedInAll, chosen, scratchAt);
  let lowest = i32.MAX_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const from = <usize>load<u32>(chosen + (<usize>i << 2)) << 2;
    const to = <usize>i << 2;
    const score = load<i32>(scores + from);
    store<u32>(rows + to, load<u32>(rows + from));
    store<i32>(scores + to, score);
    lowest = min(lowest, score);
  }
  found = count;
  if (count == wantedInAll) least = max(least, lowest + 1);
}

/**
 * Notes a document with a score not below `least`. Buckets are counted as they fill, so that the
 * least score wanted follows at once, with nothing sorted: as many as are wanted lie in `bucket` or above it.
 */
// @ts-ignore: decorator
@inline
function find(row: u32, score: i32): void {
  store<u32>(rows + (<usize>found << 2), row);
  store<i32>(scores + (<usize>found << 2), score);
  found++;
  const histogram = scratchAt + FOUND;
  // A list whose bounds were wrong would still write nowhere else.
  const at = histogram + (<usize>min<u32>(<u32>score >> shift, BUCKETS - 1) << 2);
  store<u32>(at, load<u32>(at) + 1);
  within++;
  if (within < wantedInAll) return;
  for (let inBucket = load<u32>(histogram + (<usize>bucket << 2)); within - inBucket >= wantedInAll; ) {
    within -= inBucket;
    bucket++;
    inBucket = load<u32>(histogram + (<usize>bucket << 2));
  }
  least = max(least, <i32>(bucket << shift) + 1);
}

// @ts-ignore: decorator
@inline
function isDead(dead: usize, row: u32): bool {
  return dead != 0 && ((<u32>load<u8>(dead + (<usize>row >> 3)) >> (row & 7)) & 1) != 0;
}

/** Looks up the lists from `before` down for a document that the others give `sum`. */
// @ts-ignore: decorator
@inline
function finish(lists: usize, before: usize, block: usize, offset: usize, sum: i32, dead: usize): void {
  let score = sum;
  for (let list = before; list > lists; ) {
    list -= STATE;
    if (score + belowOf(list) < least) return;
    if (boundOf(list) > 0) score += lookUp(list, block, offset);
  }
  const row = <u32>((block << 8) + offset);
  if (score >= least && !isDead(dead, row)) find(row, score);
}

// @ts-ignore: decorator
@inline
function clearBits(touched: usize): void {
  v128.store(touched, i32x4.splat(0));
  v128.store(touched, i32x4.splat(0), 16);
}

/** The contract's; `dead` is 0 for none. */
export function topPostings(
  lists: usize,
  count: usize,
  documents: usize,
  dead: usize,
  wanted: u32,
  out: usize,
  places: u32,
  scratch: usize,
): u32 {
  if (wanted == 0) return 0;
  rows = out;
  scores = rows + (<usize>places << 2);
  chosen = scores + (<usize>places << 2);
  room = places;
  found = 0;
  wantedInAll = wanted;
  scratchAt = scratch;
  least = 1;
  bucket = 0;
  within = 0;
  memory.fill(scratch + FOUND, 0, (BUCKETS << 2) + 1024 + 32);
  const blocks = (documents + 255) >> 8;
  const end = lists + count * STATE;
  let most: i32 = 0;
  // Gaps come last: they are always added.
  let gaps = end;
  for (let list = lists; list < end; list += STATE) {
    openList(list, blocks);
    most += mostOf(list);
    if (gaps == end && isGaps(list)) gaps = list;
  }
  shift = max(0, 22 - clz(most));
  const sums = scratch + SUMS;
  const touched = scratch + TOUCHED;
  for (let block: usize = 0; block < blocks; block++) {
    let below: i32 = 0;
    for (let list = lists; list < end; list += STATE) below = boundAt(list, block, below);
    if (below < least) {
      for (let list = lists; list < end; list += STATE) passBlock(list, block);
      continue;
    }
    if (found + 256 > room) choose();
    let first = lists;
    while (first < gaps && belowOf(first) < least) first += STATE;
    const rest = first > lists ? belowOf(first - STATE) : 0;
    let wide = false;
    for (let list = first; list < end; list += STATE) {
      if (boundOf(list) == 0) continue;
      addBlock(list, block, sums, touched);
      wide = wide || isWide(list);
    }
    if (wide) {
      // `rest` is below `least`, so sums of 0 are among those that are of no further use.
      const enough = i32x4.splat(least - rest);
      for (let i: usize = 0; i < 256; i += 4) {
        let mask = i32x4.bitmask(i32x4.ge_s(v128.load(sums + (i << 2)), enough));
        for (; mask != 0; mask &= mask - 1) {
          const offset = i + <usize>ctz(mask);
          const sum = load<i32>(sums + (offset << 2));
          if (sum + rest >= least) finish(lists, first, block, offset, sum, dead);
        }
      }
      memory.fill(sums, 0, 1024);
      clearBits(touched);
    } else {
      for (let word: usize = 0; word < 4; word++) {
        const at = touched + (word << 3);
        let left = load<u64>(at);
        if (left == 0) continue;
        store<u64>(at, 0);
        for (; left != 0; left &= left - 1) {
          const offset = (word << 6) + <usize>ctz(left);
          const sum = load<i32>(sums + (offset << 2));
          store<i32>(sums + (offset << 2), 0);
          if (sum + rest >= least) finish(lists, first, block, offset, sum, dead);
        }
      }
    }
    for (let list = lists; list < first; list += STATE) passBlock(list, block);
  }
  if (found > wanted) choose();
  return found;
}

/** The contract's. */
export function countPostings(
  lists: usize,
  count: usize,
  documents: usize,
  dead: usize,
  limit: u32,
  scratch: usize,
): u32 {
  const touched = scratch + TOUCHED;
  const blocks = (documents + 255) >> 8;
  const end = lists + count * STATE;
  for (let list = lists; list < end; list += STATE) openList(list, blocks);
  let total: u32 = 0;
  for (let block: usize = 0; block < blocks && total <= limit; block++) {
    clearBits(touched);
    for (let list = lists; list < end; list += STATE) markBlock(list, block, touched);
    for (let word: usize = 0; word < 4; word++) {
      let bits = load<u64>(touched + (word << 3));
      if (dead != 0) bits &= ~load<u64>(dead + (block << 5) + (word << 3));
      total += <u32>popcnt(bits);
    }
  }
  return min(total, limit + 1);
}

/** The contract's. */
export function sumPostings(
  lists: usize,
  count: usize,
  documents: usize,
  wanted: usize,
  wantedCount: usize,
  out: usize,
): void {
  const blocks = (documents + 255) >> 8;
  memory.fill(out, 0, wantedCount << 2);
  for (let list = lists, end = lists + count * STATE; list < end; list += STATE) {
    openList(list, blocks);
    sumList(list, wanted, wantedCount, out);
  }
}
