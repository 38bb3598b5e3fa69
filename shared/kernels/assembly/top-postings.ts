import { addBlock, addSome, belowOf, boundBlocks, isGaps, markBlock, mostOf, openList, RECORD, sumList } from "./lists";
import { topInts } from "./top";

// MaxScore (Turtle and Flood 1995) over blocks of 256 documents with the blocks' own bounds, as in block-max indexes
// (Ding and Suel 2011). Lists come with the least that they can add first. In each block, those that could not lift a
// document to the least score wanted, all together, are not added up: they are read for documents that the others have
// brought close enough, the one that can add most first, and fewer documents after each.

// The scratch space: the histogram of `topInts`, one of the scores found, sums of a block, documents or bits of a block.
const FOUND: usize = 8192;
const SUMS: usize = 12288;
const CLOSE: usize = 13312;
const BUCKETS: u32 = 1024;

/** Found so far, ascending: documents and scores in two lists of this many places each, a third behind them for choosing. */
let rows: usize = 0;
let scores: usize = 0;
let chosen: usize = 0;
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

/** A bit for each of sixteen sums that is not below `enough`. */
// @ts-ignore: decorator
@inline
function enoughOf16(at: usize, enough: v128): u64 {
  const low = i16x8.narrow_i32x4_s(i32x4.ge_s(v128.load(at), enough), i32x4.ge_s(v128.load(at, 16), enough));
  const high = i16x8.narrow_i32x4_s(i32x4.ge_s(v128.load(at, 32), enough), i32x4.ge_s(v128.load(at, 48), enough));
  return <u64>(<u32>i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)));
}

/** Adds a block's lists from `first` on, and notes the documents that the others may still lift to the least score wanted. Returns how many. */
// @ts-ignore: decorator
@inline
function bringClose(
  first: usize,
  end: usize,
  block: usize,
  place: usize,
  rest: i32,
  sums: usize,
  close: usize,
): usize {
  for (let i: usize = 0; i < 1024; i += 64) {
    v128.store(sums + i, i32x4.splat(0));
    v128.store(sums + i, i32x4.splat(0), 16);
    v128.store(sums + i, i32x4.splat(0), 32);
    v128.store(sums + i, i32x4.splat(0), 48);
  }
  for (let list = first, before = rest; list < end; list += RECORD) {
    const below = belowOf(list, place);
    if (below > before) addBlock(list, block, sums);
    before = below;
  }
  // `rest` is below `least`, so a sum of 0 never is enough. Bits of 64 documents are gone through at a time: where
  // each run of them ends cannot be foreseen, and so there should be few.
  const enough = i32x4.splat(least - rest);
  let count: usize = 0;
  for (let i: usize = 0; i < 256; i += 64) {
    const at = sums + (i << 2);
    let bits = enoughOf16(at, enough);
    bits |= enoughOf16(at + 64, enough) << 16;
    bits |= enoughOf16(at + 128, enough) << 32;
    bits |= enoughOf16(at + 192, enough) << 48;
    for (; bits != 0; bits &= bits - 1) store<u8>(close + count++, <u8>(i + <usize>ctz(bits)));
  }
  return count;
}

/** Reads the lists before `first` for the documents brought close, and notes those that make it. */
// @ts-ignore: decorator
@inline
function finish(
  lists: usize,
  first: usize,
  block: usize,
  place: usize,
  dead: usize,
  sums: usize,
  close: usize,
  closeCount: usize,
): void {
  let count = closeCount;
  for (let list = first; list > lists && count > 0; ) {
    list -= RECORD;
    const rest = list > lists ? belowOf(list - RECORD, place) : 0;
    if (belowOf(list, place) == rest) continue;
    addSome(list, block, close, count, sums);
    let kept: usize = 0;
    for (let i: usize = 0; i < count; i++) {
      const offset = load<u8>(close + i);
      store<u8>(close + kept, offset);
      kept += <usize>(load<i32>(sums + (<usize>offset << 2)) + rest >= least);
    }
    count = kept;
  }
  for (let i: usize = 0; i < count; i++) {
    const offset = <usize>load<u8>(close + i);
    const score = load<i32>(sums + (offset << 2));
    const row = <u32>((block << 8) + offset);
    if (score >= least && !isDead(dead, row)) find(row, score);
  }
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
  lowest: i32,
  wanted: u32,
  out: usize,
  places: u32,
  scratch: usize,
): u32 {
  if (wanted == 0 || count == 0) return 0;
  rows = out;
  scores = rows + (<usize>places << 2);
  chosen = scores + (<usize>places << 2);
  found = 0;
  wantedInAll = wanted;
  scratchAt = scratch;
  least = lowest;
  bucket = 0;
  within = 0;
  memory.fill(scratch + FOUND, 0, BUCKETS << 2);
  const sums = scratch + SUMS;
  const close = scratch + CLOSE;
  const blocks = (documents + 255) >> 8;
  const end = lists + count * RECORD;
  let most: i32 = 0;
  // Gaps come last: they are always added.
  let gaps = end;
  for (let list = lists; list < end; list += RECORD) {
    openList(list, blocks);
    most += mostOf(list);
    if (gaps == end && isGaps(list)) gaps = list;
  }
  shift = max(0, 22 - clz(most));
  for (let block: usize = 0; block < blocks; block++) {
    const place = block & 15;
    if (place == 0) boundBlocks(lists, end, block);
    if (belowOf(end - RECORD, place) < least) continue;
    if (found + 256 > places) choose();
    let first = lists;
    while (first < gaps && belowOf(first, place) < least) first += RECORD;
    const rest = first > lists ? belowOf(first - RECORD, place) : 0;
    const closeCount = bringClose(first, end, block, place, rest, sums, close);
    finish(lists, first, block, place, dead, sums, close, closeCount);
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
  const touched = scratch + CLOSE;
  const blocks = (documents + 255) >> 8;
  const end = lists + count * RECORD;
  for (let list = lists; list < end; list += RECORD) openList(list, blocks);
  let total: u32 = 0;
  for (let block: usize = 0; block < blocks && total <= limit; block++) {
    clearBits(touched);
    for (let list = lists; list < end; list += RECORD) markBlock(list, block, touched);
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
  for (let list = lists, end = lists + count * RECORD; list < end; list += RECORD) {
    openList(list, blocks);
    sumList(list, wanted, wantedCount, out);
  }
}
