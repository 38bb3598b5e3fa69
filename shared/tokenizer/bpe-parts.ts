/** The stored parts of a BPE tokenizer as views, checked: nothing is built, so a cold start costs one pass over them. */
import { invalid, uint32s } from "../format/bytes.ts";
import type { BpeFile } from "./tokenizer.ts";

/** Ids in use stay far below; ranks and places in a text then fit one float64 together. */
export const MOST_TOKENS = 1 << 21;
/** The longest token in use, a run of spaces, has 256 bytes. */
export const LONGEST_TOKEN = 4096;

/** Tokens by their bytes. */
export interface Vocabulary {
  /** The id of the token that is `bytes[start, end)`, or -1. Cost: a binary search, some 100 nanoseconds. */
  find(bytes: Uint8Array, start: number, end: number): number;
}

/** Merges by their two tokens. */
export interface Merges {
  /** The merge of two ids, or -1. Cost: a binary search among the merges of the left one. */
  find(left: number, right: number): number;
  readonly ranks: Uint32Array;
  readonly made: Uint32Array;
}

/** The tokens of a file. Throws `format/invalid` where counts, order or ids are wrong. */
export function openVocabulary({ lengths, parts, size }: BpeFile): Vocabulary {
  const { tokens } = parts;
  if (lengths.length > LONGEST_TOKEN) throw invalid(`A token of ${lengths.length} bytes is above 4096.`);
  /** For each length the number of the first token of it, and where its bytes begin. */
  const firstOf = new Uint32Array(lengths.length + 2);
  const placeOf = new Uint32Array(lengths.length + 2);
  lengths.forEach((count, at) => {
    if (!Number.isInteger(count) || count < 0 || count > MOST_TOKENS)
      throw invalid(`The number of tokens of ${at + 1} bytes is ${count}.`);
    firstOf[at + 2] = firstOf[at + 1]! + count;
    placeOf[at + 2] = placeOf[at + 1]! + count * (at + 1);
  });
  const count = firstOf[lengths.length + 1]!;
  if (placeOf[lengths.length + 1] !== tokens.length)
    throw invalid(`The tokens have ${tokens.length} bytes, where ${placeOf[lengths.length + 1]} are needed.`);
  const ids = uint32s(parts.ids, count, "The tokens' ids");
  checkBelow(ids, size, "A token's id");

  const order = (bytes: Uint8Array, start: number, length: number, place: number): number => {
    for (let at = 0; at < length; at++) {
      const difference = bytes[start + at]! - tokens[place + at]!;
      if (difference !== 0) return difference;
    }
    return 0;
  };
  for (let length = 1; length <= lengths.length; length++) {
    const end = placeOf[length + 1]!;
    for (let place = placeOf[length]! + length; place < end; place += length)
      if (order(tokens, place, length, place - length) <= 0) throw invalid("The tokens are not in order.");
  }

  return {
    find(bytes, start, end) {
      const length = end - start;
      if (length < 1 || length > lengths.length) return -1;
      const first = firstOf[length]!;
      const place = placeOf[length]!;
      let low = 0;
      let high = firstOf[length + 1]! - first;
      while (low < high) {
        const middle = (low + high) >> 1;
        const way = order(bytes, start, length, place + middle * length);
        if (way === 0) return ids[first + middle]!;
        if (way > 0) low = middle + 1;
        else high = middle;
      }
      return -1;
    },
  };
}

/** The merges of a file. Throws `format/invalid` where counts, order or ids are wrong. */
export function openMerges({ parts, size }: BpeFile): Merges {
  const firsts = uint32s(parts.firsts, size + 1, "The merges' starts");
  const count = parts.rights.length / 4;
  const rights = uint32s(parts.rights, count, "The merges' right tokens");
  const made = uint32s(parts.made, count, "The merges' made tokens");
  const ranks = parts.ranks.length === 0 ? made : uint32s(parts.ranks, count, "The merges' ranks");
  if (firsts[0] !== 0 || firsts[size] !== count) throw invalid(`The merges' starts must end with ${count}.`);
  checkBelow(rights, size, "A merge's right token");
  checkBelow(made, size, "A merge's made token");
  checkBelow(ranks, Math.max(count, size), "A merge's rank");
  for (let left = 0; left < size; left++) {
    const start = firsts[left]!;
    const end = firsts[left + 1]!;
    if (end < start || end > count) throw invalid("The merges' starts are not in order.");
    for (let at = start + 1; at < end; at++)
      if (rights[at]! <= rights[at - 1]!) throw invalid("The merges' right tokens are not in order.");
  }
  return {
    ranks,
    made,
    find(left, right) {
      let low = firsts[left]!;
      let high = firsts[left + 1]!;
      while (low < high) {
        const middle = (low + high) >> 1;
        const found = rights[middle]!;
        if (found === right) return middle;
        if (found < right) low = middle + 1;
        else high = middle;
      }
      return -1;
    },
  };
}

function checkBelow(numbers: Uint32Array, limit: number, what: string): void {
  let greatest = 0;
  for (let at = 0; at < numbers.length; at++) if (numbers[at]! > greatest) greatest = numbers[at]!;
  if (numbers.length > 0 && greatest >= limit)
    throw invalid(`${what} is ${greatest}, where ids end at ${limit - 1}.`);
}
