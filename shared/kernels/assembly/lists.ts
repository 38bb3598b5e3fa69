// Lists of postings as ../posting-lists.ts lays them out, walked by blocks of 256 documents. A list under way is
// a record of `RECORD` bytes: where it is, its length and its weight come from the caller, the rest is kept here. A list
// moves on to a block when it is read there, so that one that is never read costs nothing but its bounds.

/** Bytes of a list under way. */
export const RECORD: usize = 112;

const POINTER: usize = 0;
const BYTES: usize = 4;
const WEIGHT: usize = 8;
/** Its form, and its greatest impact times its weight. */
const KIND: usize = 12;
const MOST: usize = 16;
/** Greatest impacts of blocks. */
const MAXES: usize = 20;
/** Postings less one of each block; all impacts for plain. */
const HEADS: usize = 24;
/** What there is of block `BLOCK`. Gaps: the impact of the next posting. */
const ROWS: usize = 28;
/** Gaps: where the list ends. */
const END: usize = 32;
/** Gaps: the document of the next posting. */
const NEXT: usize = 36;
const BLOCK: usize = 40;
/** For each of sixteen blocks the most that this list and all before it can add. */
const BELOW: usize = 48;

const GAPS: u32 = 0;
const OFFSETS: u32 = 1;
const BITS: u32 = 2;

/** Past all documents. */
const NO_ROW: u32 = 0xffffffff;

/** Most that a list can add to any document. */
// @ts-ignore: decorator
@inline
export function mostOf(list: usize): i32 {
  return load<i32>(list, MOST);
}

/** Most that this list and all before it can add in one of the sixteen blocks last bounded. */
// @ts-ignore: decorator
@inline
export function belowOf(list: usize, place: usize): i32 {
  return load<i32>(list + (place << 2), BELOW);
}

/** Whether a list can only be read from its start. */
// @ts-ignore: decorator
@inline
export function isGaps(list: usize): bool {
  return load<u32>(list, KIND) == GAPS;
}

/** Brings a list to its first posting. `blocks` of the shard's documents. */
export function openList(list: usize, blocks: usize): void {
  const at = <usize>load<u32>(list, POINTER);
  const kind = <u32>load<u8>(at, 3);
  store<u32>(list, kind, KIND);
  store<i32>(list, <i32>load<u8>(at, 2) * load<i32>(list, WEIGHT), MOST);
  store<u32>(list, 0, BLOCK);
  const data = at + 4;
  if (kind == GAPS) {
    store<u32>(list, <u32>(at + <usize>load<u32>(list, BYTES)), END);
    toGap(list, data, 0);
    return;
  }
  store<u32>(list, <u32>data, MAXES);
  store<u32>(list, <u32>(data + blocks), HEADS);
  store<u32>(list, <u32>(data + 2 * blocks), ROWS);
}

/** Reads the gap at `at`, before the posting that follows document `next` - 1, unless the list ends there. */
// @ts-ignore: decorator
@inline
function toGap(list: usize, at: usize, next: u32): void {
  if (at >= <usize>load<u32>(list, END)) {
    store<u32>(list, NO_ROW, NEXT);
    return;
  }
  const byte = <u32>load<u8>(at);
  if (byte < 192) {
    store<u32>(list, <u32>at + 1, ROWS);
    store<u32>(list, next + byte, NEXT);
  } else if (byte < 255) {
    store<u32>(list, <u32>at + 2, ROWS);
    store<u32>(list, next + 192 + ((byte - 192) << 8) + <u32>load<u8>(at, 1), NEXT);
  } else {
    store<u32>(list, <u32>at + 3, ROWS);
    store<u32>(list, next + <u32>load<u16>(at, 1), NEXT);
  }
}

// @ts-ignore: decorator
@inline
function passGap(list: usize): void {
  toGap(list, <usize>load<u32>(list, ROWS) + 1, load<u32>(list, NEXT) + 1);
}

/** Bounds the sixteen blocks from `block` on for all lists up to `end`, each with those before it. */
export function boundBlocks(lists: usize, end: usize, block: usize): void {
  let below0 = i32x4.splat(0);
  let below1 = below0;
  let below2 = below0;
  let below3 = below0;
  for (let list = lists; list < end; list += RECORD) {
    if (isGaps(list)) {
      // Wherever it has a posting it may have its greatest one.
      markGaps(list, <u32>block);
      below0 = i32x4.add(below0, v128.load(list, BELOW));
      below1 = i32x4.add(below1, v128.load(list, BELOW + 16));
      below2 = i32x4.add(below2, v128.load(list, BELOW + 32));
      below3 = i32x4.add(below3, v128.load(list, BELOW + 48));
    } else {
      const weight = i32x4.splat(load<i32>(list, WEIGHT));
      const most = v128.load(<usize>load<u32>(list, MAXES) + block);
      const low = i16x8.extend_low_i8x16_u(most);
      const high = i16x8.extend_high_i8x16_u(most);
      below0 = i32x4.add(below0, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight));
      below1 = i32x4.add(below1, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight));
      below2 = i32x4.add(below2, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight));
      below3 = i32x4.add(below3, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight));
    }
    v128.store(list, below0, BELOW);
    v128.store(list, below1, BELOW + 16);
    v128.store(list, below2, BELOW + 32);
    v128.store(list, below3, BELOW + 48);
  }
}

/** Leaves what lies before `block`, and notes the list's greatest posting for each of sixteen blocks that have any. */
function markGaps(list: usize, block: u32): void {
  while (load<u32>(list, NEXT) >> 8 < block) passGap(list);
  for (let i: usize = 0; i < 64; i += 16) v128.store(list + i, i32x4.splat(0), BELOW);
  const most = load<i32>(list, MOST);
  const rows = load<u32>(list, ROWS);
  const next = load<u32>(list, NEXT);
  for (let row = next; row >> 8 < block + 16; row = load<u32>(list, NEXT)) {
    store<i32>(list + (<usize>((row >> 8) - block) << 2), most, BELOW);
    passGap(list);
  }
  store<u32>(list, rows, ROWS);
  store<u32>(list, next, NEXT);
}

/** Postings of a block that has any. */
// @ts-ignore: decorator
@inline
function countOf(list: usize, block: usize): usize {
  return <usize>load<u8>(<usize>load<u32>(list, HEADS) + block) + 1;
}

/** Moves a list on to a block, not behind the one it is at. For offsets and bits. */
// @ts-ignore: decorator
@inline
function moveTo(list: usize, block: usize): void {
  const from = <usize>load<u32>(list, BLOCK);
  if (from == block) return;
  const heads = <usize>load<u32>(list, HEADS);
  const maxes = <usize>load<u32>(list, MAXES);
  let passed: u32 = 0;
  for (let at = from; at < block; at++) {
    passed += (<u32>load<u8>(heads + at) + 1) & -(<u32>(load<u8>(maxes + at) != 0));
  }
  passed += load<u32>(list, KIND) == OFFSETS ? passed : <u32>((block - from) << 5);
  store<u32>(list, load<u32>(list, ROWS) + passed, ROWS);
  store<u32>(list, <u32>block, BLOCK);
}

// @ts-ignore: decorator
@inline
function add(sums: usize, offset: usize, product: i32): void {
  const at = sums + (offset << 2);
  store<i32>(at, load<i32>(at) + product);
}

/** Adds a block to 256 sums. */
export function addBlock(list: usize, block: usize, sums: usize): void {
  const weight = load<i32>(list, WEIGHT);
  const kind = load<u32>(list, KIND);
  if (kind == GAPS) {
    while (load<u32>(list, NEXT) >> 8 < <u32>block) passGap(list);
    while (load<u32>(list, NEXT) >> 8 == <u32>block) {
      add(sums, <usize>load<u32>(list, NEXT) & 255, <i32>load<u8>(<usize>load<u32>(list, ROWS)) * weight);
      passGap(list);
    }
    return;
  }
  if (kind > BITS) return addPlain(<usize>load<u32>(list, HEADS) + (block << 8), weight, sums);
  moveTo(list, block);
  const at = <usize>load<u32>(list, ROWS);
  if (kind == OFFSETS) addOffsets(at, countOf(list, block), weight, sums);
  else addBits(at, weight, sums);
}

// @ts-ignore: decorator
@inline
function addOffsets(rows: usize, count: usize, weight: i32, sums: usize): void {
  const impacts = rows + count;
  for (let i: usize = 0; i < count; i++) {
    add(sums, <usize>load<u8>(rows + i), <i32>load<u8>(impacts + i) * weight);
  }
}

// @ts-ignore: decorator
@inline
function addBits(bits: usize, weight: i32, sums: usize): void {
  let impacts = bits + 32;
  for (let word: usize = 0; word < 4; word++) {
    const base = sums + (word << 8);
    for (let left = load<u64>(bits + (word << 3)); left != 0; left &= left - 1) {
      add(base, <usize>ctz(left), <i32>load<u8>(impacts++) * weight);
    }
  }
}

/** Sixteen documents at a time: their impacts are one load, their products four vectors. */
// @ts-ignore: decorator
@inline
function addPlain(impacts: usize, weight: i32, sums: usize): void {
  const factor = i32x4.splat(weight);
  for (let i: usize = 0; i < 256; i += 16) {
    const bytes = v128.load(impacts + i);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    const at = sums + (i << 2);
    v128.store(at, i32x4.add(v128.load(at), i32x4.mul(i32x4.extend_low_i16x8_u(low), factor)));
    v128.store(at, i32x4.add(v128.load(at, 16), i32x4.mul(i32x4.extend_high_i16x8_u(low), factor)), 16);
    v128.store(at, i32x4.add(v128.load(at, 32), i32x4.mul(i32x4.extend_low_i16x8_u(high), factor)), 32);
    v128.store(at, i32x4.add(v128.load(at, 48), i32x4.mul(i32x4.extend_high_i16x8_u(high), factor)), 48);
  }
}

/**
 * Adds to the sums of some documents of a block what the list has of them; other sums may be changed too, where adding
 * the whole block is less work. `offsets` are `count` bytes. Not for gaps.
 */
export function addSome(list: usize, block: usize, offsets: usize, count: usize, sums: usize): void {
  const kind = load<u32>(list, KIND);
  const weight = load<i32>(list, WEIGHT);
  if (kind > BITS) {
    const all = <usize>load<u32>(list, HEADS) + (block << 8);
    if (count > 48) return addPlain(all, weight, sums);
    for (let i: usize = 0; i < count; i++) {
      const offset = <usize>load<u8>(offsets + i);
      add(sums, offset, <i32>load<u8>(all + offset) * weight);
    }
    return;
  }
  moveTo(list, block);
  const at = <usize>load<u32>(list, ROWS);
  const held = countOf(list, block);
  if (kind == OFFSETS) {
    if (held <= 4 * count) return addOffsets(at, held, weight, sums);
    for (let i: usize = 0; i < count; i++) {
      const offset = <usize>load<u8>(offsets + i);
      add(sums, offset, findOffset(at, held, offset) * weight);
    }
  } else {
    if (held <= 2 * count) return addBits(at, weight, sums);
    const count0 = popcnt(load<u64>(at));
    const count1 = count0 + popcnt(load<u64>(at, 8));
    const count2 = count1 + popcnt(load<u64>(at, 16));
    // Postings before each word, two bytes each.
    const ranks = (count0 << 16) | (count1 << 32) | (count2 << 48);
    for (let i: usize = 0; i < count; i++) {
      // No branch: whether a document is there cannot be foreseen.
      const offset = <u64>load<u8>(offsets + i);
      const word = load<u64>(at + <usize>((offset >> 6) << 3));
      const rank = ((ranks >> ((offset >> 6) << 4)) & 0xffff) + popcnt(word & (((<u64>1) << (offset & 63)) - 1));
      const isHeld = <i32>((word >> (offset & 63)) & 1);
      add(sums, <usize>offset, <i32>load<u8>(at + 32 + <usize>rank) * (weight & -isHeld));
    }
  }
}

/** The impact of a document among the `held` of a block, 0 where it is not there. */
// @ts-ignore: decorator
@inline
function findOffset(rows: usize, held: usize, offset: usize): i32 {
  const wanted = i8x16.splat(<i8>offset);
  for (let i: usize = 0; i < held; i += 16) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(rows + i), wanted));
    if (same == 0) continue;
    const at = i + <usize>ctz(same);
    // What lies behind the block's last document may be equal too.
    return at < held ? <i32>load<u8>(rows + held + at) : 0;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function touch(touched: usize, offset: usize): void {
  const at = touched + ((offset >> 6) << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (<u64>offset & 63)));
}

/** Sets the bits of all documents of the block that the list has. */
export function markBlock(list: usize, block: usize, touched: usize): void {
  const kind = load<u32>(list, KIND);
  if (kind == GAPS) {
    for (; load<u32>(list, NEXT) >> 8 == <u32>block; passGap(list)) {
      touch(touched, <usize>load<u32>(list, NEXT) & 255);
    }
    return;
  }
  if (load<u8>(<usize>load<u32>(list, MAXES) + block) == 0) return;
  if (kind > BITS) {
    const all = <usize>load<u32>(list, HEADS) + (block << 8);
    const zero = i8x16.splat(0);
    for (let i: usize = 0; i < 256; i += 16) {
      const present = i8x16.bitmask(i8x16.ne(v128.load(all + i), zero));
      const at = touched + (i >> 3);
      store<u16>(at, load<u16>(at) | <u16>present);
    }
    return;
  }
  moveTo(list, block);
  const at = <usize>load<u32>(list, ROWS);
  if (kind == OFFSETS) {
    const held = countOf(list, block);
    for (let i: usize = 0; i < held; i++) touch(touched, <usize>load<u8>(at + i));
  } else {
    v128.store(touched, v128.or(v128.load(touched), v128.load(at)));
    v128.store(touched, v128.or(v128.load(touched, 16), v128.load(at, 16)), 16);
  }
}

/** Adds what a list just opened holds of some documents to their sums: `wanted` are u32, ascending, below 256 x blocks. */
export function sumList(list: usize, wanted: usize, count: usize, out: usize): void {
  const gaps = isGaps(list);
  const weight = load<i32>(list, WEIGHT);
  for (let i: usize = 0; i < count; i++) {
    const row = load<u32>(wanted + (i << 2));
    if (!gaps) {
      add(out, i, lookUp(list, <usize>row) * weight);
      continue;
    }
    while (load<u32>(list, NEXT) < row) passGap(list);
    if (load<u32>(list, NEXT) == row) add(out, i, <i32>load<u8>(<usize>load<u32>(list, ROWS)) * weight);
  }
}

/** The impact of a document, not before the block that the list is at, 0 where it has none. Not for gaps. */
// @ts-ignore: decorator
@inline
function lookUp(list: usize, row: usize): i32 {
  const kind = load<u32>(list, KIND);
  if (kind > BITS) return <i32>load<u8>(<usize>load<u32>(list, HEADS) + row);
  const block = row >> 8;
  if (load<u8>(<usize>load<u32>(list, MAXES) + block) == 0) return 0;
  moveTo(list, block);
  const at = <usize>load<u32>(list, ROWS);
  const offset = row & 255;
  if (kind == OFFSETS) return findOffset(at, countOf(list, block), offset);
  const word = load<u64>(at + ((offset >> 6) << 3));
  const bit = (<u64>1) << (<u64>offset & 63);
  if ((word & bit) == 0) return 0;
  let rank = popcnt(word & (bit - 1));
  for (let before: usize = 0; before < offset >> 6; before++) rank += popcnt(load<u64>(at + (before << 3)));
  return <i32>load<u8>(at + 32 + <usize>rank);
}
