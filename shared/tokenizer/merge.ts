/**
 * Merging: of all neighbours that have a merge, those of the lowest rank become one, the leftmost
 * first, until none have. Sennrich et al. 2016, algorithm 1.
 */
import type { Merges } from "./bpe-parts.ts";

/** Symbols below which looking through all of them each time is quicker than a heap. */
const FEW = 48;
const NONE = 0x7fffffff;

/** Symbols being merged. Arrays grow with the longest word so far. */
export interface Symbols {
  /** Ids, and where each symbol ends, in whatever unit the caller counts. */
  ids: Int32Array;
  ends: Int32Array;
  count: number;
}

/** Room for `count` symbols; what was in it before is lost. */
export function reserve(symbols: Symbols, count: number): void {
  if (symbols.ids.length >= count) return;
  const room = Math.max(256, 2 ** Math.ceil(Math.log2(count)));
  symbols.ids = new Int32Array(room);
  symbols.ends = new Int32Array(room);
}

const fewRanks = new Int32Array(FEW);
const fewMade = new Int32Array(FEW);

/** Merges in place. Cost: n log n lookups at most. */
export function mergeSymbols(symbols: Symbols, merges: Merges): void {
  if (symbols.count > FEW) mergeMany(symbols, merges);
  else mergeFew(symbols, merges);
}

function mergeFew(symbols: Symbols, merges: Merges): void {
  const { ids, ends } = symbols;
  let count = symbols.count;
  const look = (at: number): void => {
    const merge = at >= 0 && at + 1 < count ? merges.find(ids[at]!, ids[at + 1]!) : -1;
    if (at >= 0) fewRanks[at] = merge < 0 ? NONE : merges.ranks[merge]!;
    if (merge >= 0) fewMade[at] = merges.made[merge]!;
  };
  for (let at = 0; at < count; at++) look(at);
  for (;;) {
    let best = -1;
    let lowest = NONE;
    for (let at = 0; at + 1 < count; at++) {
      if (fewRanks[at]! < lowest) {
        lowest = fewRanks[at]!;
        best = at;
      }
    }
    if (best < 0) break;
    ids[best] = fewMade[best]!;
    ends[best] = ends[best + 1]!;
    count--;
    for (let at = best + 1; at < count; at++) {
      ids[at] = ids[at + 1]!;
      ends[at] = ends[at + 1]!;
      fewRanks[at] = fewRanks[at + 1]!;
      fewMade[at] = fewMade[at + 1]!;
    }
    look(best - 1);
    look(best);
  }
  symbols.count = count;
}

/** A linked list of symbols and a heap of merges. One that no longer holds stays in the heap until its turn. */
function mergeMany(symbols: Symbols, merges: Merges): void {
  const { ids, ends, count } = symbols;
  const next = Int32Array.from({ length: count }, (_, at) => at + 1);
  const previous = Int32Array.from({ length: count }, (_, at) => at - 1);
  const ranks = new Int32Array(count).fill(NONE);
  const made = new Int32Array(count);
  // Each merge takes a symbol and brings two merges at most.
  const heap = new Heap(3 * count);
  const look = (at: number): void => {
    const right = next[at]!;
    const merge = right < count ? merges.find(ids[at]!, ids[right]!) : -1;
    ranks[at] = merge < 0 ? NONE : merges.ranks[merge]!;
    if (merge < 0) return;
    made[at] = merges.made[merge]!;
    heap.push(ranks[at]! * count + at);
  };
  for (let at = 0; at < count; at++) look(at);
  while (heap.size > 0) {
    const key = heap.pop();
    const at = key % count;
    if (ranks[at] !== (key - at) / count) continue;
    const right = next[at]!;
    ids[at] = made[at]!;
    ends[at] = ends[right]!;
    ranks[right] = NONE;
    const after = next[right]!;
    next[at] = after;
    if (after < count) previous[after] = at;
    if (previous[at]! >= 0) look(previous[at]!);
    look(at);
  }
  let kept = 0;
  for (let at = 0; at < count; at = next[at]!) {
    ids[kept] = ids[at]!;
    ends[kept] = ends[at]!;
    kept++;
  }
  symbols.count = kept;
}

/** A binary heap, the lowest number first. */
class Heap {
  size = 0;
  readonly #keys: Float64Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  push(key: number): void {
    const keys = this.#keys;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number {
    const keys = this.#keys;
    const top = keys[0]!;
    const key = keys[--this.size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = key;
    return top;
  }
}
