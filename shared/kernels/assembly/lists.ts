// Lists of postings as ../posting-lists.ts lays them out, walked block by block of 256 documents. A list under way is
// a record of `STATE` bytes: where it is, its length and its weight come from the caller, the rest is kept here.

/** Bytes of a list under way. */
export const STATE: usize = 48;

const POINTER: usize = 0;
const BYTES: usize = 4;
const WEIGHT: usize = 8;
/** Its form, and its greatest impact times its weight. */
const KIND: usize = 12;
const MOST: usize = 16;
/** Greatest impacts of blocks. */
const MAXES: usize = 20;
/** Postings of each block for offsets, bits for bits, all impacts for plain. */
const HEADS: usize = 24;
/** Offsets: the next block's documents. Gaps: the impact of the next posting. */
const ROWS: usize = 28;
/** Impacts of the next block. */
const IMPACTS: usize = 32;
/** Gaps: the document of the next posting. */
const NEXT: usize = 36;
/** Most that the block can add, and that with what all lists before can. */
const BOUND: usize = 40;
const BELOW: usize = 44;

const GAPS: u32 = 0;
const OFFSETS: u32 = 1;
const BITS: u32 = 2;

/** Past all documents. */
const NO_ROW: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
export function mostOf(list: usize): i32 {
  return load<i32>(list, MOST);
}

// @ts-ignore: decorator
@inline
export function boundOf(list: usize): i32 {
  return load<i32>(list, BOUND);
}

// @ts-ignore: decorator
@inline
export function belowOf(list: usize): i32 {
  return load<i32>(list, BELOW);
}

// @ts-ignore: decorator
@inline
export function isGaps(list: usize): bool {
  return load<u32>(list, KIND) == GAPS;
}

/** Whether the list gives all documents of a block a look: adding it touches more than is worth noting one by one. */
// @ts-ignore: decorator
@inline
export function isWide(list: usize): bool {
  return load<u32>(list, KIND) >= BITS;
}

/** Brings a list to its first posting. `blocks` of the shard's documents. */
export function openList(list: usize, blocks: usize): void {
  const at = <usize>load<u32>(list, POINTER);
  const count = <usize>load<u16>(at) + 1;
  const kind = <u32>load<u8>(at, 3);
  store<u32>(list, kind, KIND);
  store<i32>(list, <i32>load<u8>(at, 2) * load<i32>(list, WEIGHT), MOST);
  const data = at + 4;
  if (kind == GAPS) {
    store<u32>(list, <u32>(at + <usize>load<u32>(list, BYTES)), IMPACTS);
    toGap(list, data, 0);
    return;
  }
  store<u32>(list, <u32>data, MAXES);
  store<u32>(list, <u32>(data + blocks), HEADS);
  if (kind == OFFSETS) {
    store<u32>(list, <u32>(data + 2 * blocks), ROWS);
    store<u32>(list, <u32>(data + 2 * blocks + count), IMPACTS);
  } else {
    store<u32>(list, <u32>(data + 33 * blocks), IMPACTS);
  }
}

/** Reads the gap at `at` before the posting that follows document `next` - 1, unless the list ends there. */
// @ts-ignore: decorator
@inline
function toGap(list: usize, at: usize, next: u32): void {
  if (at >= <usize>load<u32>(list, IMPACTS)) {
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

/** Most that this list can add to a document of the block, `below` being what those before it can; both are noted. Returns their sum. */
// @ts-ignore: decorator
@inline
export function boundAt(list: usize, block: usize, below: i32): i32 {
  let bound: i32 = 0;
  if (load<u32>(list, KIND) == GAPS) {
    if (load<u32>(list, NEXT) >> 8 == <u32>block) bound = load<i32>(list, MOST);
  } else {
    bound = <i32>load<u8>(<usize>load<u32>(list, MAXES) + block) * load<i32>(list, WEIGHT);
  }
  store<i32>(list, bound, BOUND);
  store<i32>(list, below + bound, BELOW);
  return below + bound;
}

/** Postings of a block of bits. */
// @ts-ignore: decorator
@inline
function countBits(at: usize): usize {
  return <usize>(
    popcnt(load<u64>(at)) +
    popcnt(load<u64>(at, 8)) +
    popcnt(load<u64>(at, 16)) +
    popcnt(load<u64>(at, 24))
  );
}

/** Leaves a block without adding it, with its bound noted. */
// @ts-ignore: decorator
@inline
export function passBlock(list: usize, block: usize): void {
  if (load<i32>(list, BOUND) != 0) leaveBlock(list, block);
}

function leaveBlock(list: usize, block: usize): void {
  const kind = load<u32>(list, KIND);
  if (kind == OFFSETS) {
    const count = <u32>load<u8>(<usize>load<u32>(list, HEADS) + block);
    store<u32>(list, load<u32>(list, ROWS) + count, ROWS);
    store<u32>(list, load<u32>(list, IMPACTS) + count, IMPACTS);
  } else if (kind == BITS) {
    const count = countBits(<usize>load<u32>(list, HEADS) + (block << 5));
    store<u32>(list, load<u32>(list, IMPACTS) + <u32>count, IMPACTS);
  } else if (kind == GAPS) {
    while (load<u32>(list, NEXT) >> 8 == <u32>block) {
      toGap(list, <usize>load<u32>(list, ROWS) + 1, load<u32>(list, NEXT) + 1);
    }
  }
}

// @ts-ignore: decorator
@inline
function touch(touched: usize, offset: usize): void {
  const at = touched + ((offset >> 6) << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (<u64>offset & 63)));
}

// @ts-ignore: decorator
@inline
function add(sums: usize, offset: usize, product: i32): void {
  const at = sums + (offset << 2);
  store<i32>(at, load<i32>(at) + product);
}

/** Adds a block to 256 sums and leaves it. `touched` takes a bit for each document that gaps or offsets reach. */
export function addBlock(list: usize, block: usize, sums: usize, touched: usize): void {
  const weight = load<i32>(list, WEIGHT);
  const kind = load<u32>(list, KIND);
  if (kind == GAPS) {
    while (load<u32>(list, NEXT) >> 8 == <u32>block) {
      const row = load<u32>(list, NEXT);
      const at = <usize>load<u32>(list, ROWS);
      add(sums, <usize>row & 255, <i32>load<u8>(at) * weight);
      touch(touched, <usize>row & 255);
      toGap(list, at + 1, row + 1);
    }
    return;
  }
  if (load<i32>(list, BOUND) == 0) return;
  const heads = <usize>load<u32>(list, HEADS);
  let impacts = <usize>load<u32>(list, IMPACTS);
  if (kind == OFFSETS) {
    const rows = <usize>load<u32>(list, ROWS);
    const count = <usize>load<u8>(heads + block);
    for (let i: usize = 0; i < count; i++) {
      const offset = <usize>load<u8>(rows + i);
      add(sums, offset, <i32>load<u8>(impacts + i) * weight);
      touch(touched, offset);
    }
    store<u32>(list, <u32>(rows + count), ROWS);
    store<u32>(list, <u32>(impacts + count), IMPACTS);
  } else if (kind == BITS) {
    const bits = heads + (block << 5);
    for (let word: usize = 0; word < 4; word++) {
      const base = sums + (word << 8);
      for (let left = load<u64>(bits + (word << 3)); left != 0; left &= left - 1) {
        add(base, <usize>ctz(left), <i32>load<u8>(impacts++) * weight);
      }
    }
    store<u32>(list, <u32>impacts, IMPACTS);
  } else {
    addPlain(heads + (block << 8), weight, sums);
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

/** What the list adds to one document of the block that it has not left: 0 where it has none there. Not for gaps. */
// @ts-ignore: decorator
@inline
export function lookUp(list: usize, block: usize, offset: usize): i32 {
  const kind = load<u32>(list, KIND);
  const heads = <usize>load<u32>(list, HEADS);
  const weight = load<i32>(list, WEIGHT);
  if (kind == OFFSETS) {
    const rows = <usize>load<u32>(list, ROWS);
    const count = <usize>load<u8>(heads + block);
    const wanted = i8x16.splat(<i8>offset);
    for (let i: usize = 0; i < count; i += 16) {
      const same = i8x16.bitmask(i8x16.eq(v128.load(rows + i), wanted));
      if (same == 0) continue;
      const at = i + <usize>ctz(same);
      // What lies behind the block's last document may be equal too.
      return at < count ? <i32>load<u8>(<usize>load<u32>(list, IMPACTS) + at) * weight : 0;
    }
    return 0;
  }
  if (kind == BITS) {
    const bits = heads + (block << 5);
    const word = offset >> 6;
    const bit = (<u64>1) << (<u64>offset & 63);
    const own = load<u64>(bits + (word << 3));
    if ((own & bit) == 0) return 0;
    let rank = popcnt(own & (bit - 1));
    for (let before: usize = 0; before < word; before++) rank += popcnt(load<u64>(bits + (before << 3)));
    return <i32>load<u8>(<usize>load<u32>(list, IMPACTS) + <usize>rank) * weight;
  }
  return <i32>load<u8>(heads + (block << 8) + offset) * weight;
}

/** Sets the bits of all documents of the block that the list has, and leaves it. */
export function markBlock(list: usize, block: usize, touched: usize): void {
  const kind = load<u32>(list, KIND);
  if (kind == GAPS) {
    while (load<u32>(list, NEXT) >> 8 == <u32>block) {
      touch(touched, <usize>load<u32>(list, NEXT) & 255);
      toGap(list, <usize>load<u32>(list, ROWS) + 1, load<u32>(list, NEXT) + 1);
    }
    return;
  }
  const heads = <usize>load<u32>(list, HEADS);
  if (kind == OFFSETS) {
    const rows = <usize>load<u32>(list, ROWS);
    const count = <usize>load<u8>(heads + block);
    for (let i: usize = 0; i < count; i++) touch(touched, <usize>load<u8>(rows + i));
    store<u32>(list, <u32>(rows + count), ROWS);
  } else if (kind == BITS) {
    const bits = heads + (block << 5);
    v128.store(touched, v128.or(v128.load(touched), v128.load(bits)));
    v128.store(touched, v128.or(v128.load(touched, 16), v128.load(bits, 16)), 16);
  } else {
    const zero = i8x16.splat(0);
    for (let i: usize = 0; i < 256; i += 16) {
      const present = i8x16.bitmask(i8x16.ne(v128.load(heads + (block << 8) + i), zero));
      const at = touched + (i >> 3);
      store<u16>(at, load<u16>(at) | <u16>present);
    }
  }
}

/** Adds what a list just opened holds of some documents to their sums: `wanted` are u32, ascending, below 256 x blocks. */
export function sumList(list: usize, wanted: usize, count: usize, out: usize): void {
  const gaps = isGaps(list);
  const weight = load<i32>(list, WEIGHT);
  for (let i: usize = 0, block: usize = 0; i < count; i++) {
    const row = load<u32>(wanted + (i << 2));
    const at = out + (i << 2);
    if (gaps) {
      while (load<u32>(list, NEXT) < row) toGap(list, <usize>load<u32>(list, ROWS) + 1, load<u32>(list, NEXT) + 1);
      if (load<u32>(list, NEXT) != row) continue;
      store<i32>(at, load<i32>(at) + <i32>load<u8>(<usize>load<u32>(list, ROWS)) * weight);
    } else {
      for (const own = <usize>row >> 8; block < own; block++) leaveBlock(list, block);
      store<i32>(at, load<i32>(at) + lookUp(list, block, <usize>row & 255));
    }
  }
}
