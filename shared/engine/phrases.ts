/**
 * Pairs of neighbouring tokens that have a table row of their own. A pair's row is what the
 * encoder makes of the two together beyond what each says alone ("heart" "attack"), so it is
 * added to the sum beside their rows. It is also all of the word order that a sum can hold.
 */

/** The pairs of a table, by number. */
export interface Phrases {
  readonly count: number;
  /** Number of the pair, or -1. Cost: a binary search. */
  find(first: number, second: number): number;
}

/** Pairs as a table file holds them: first and second token of each, ascending. */
export function phrasesOf(pairs: Uint32Array): Phrases {
  const count = pairs.length / 2;
  return {
    count,
    find(first, second) {
      let low = 0;
      let high = count - 1;
      while (low <= high) {
        const middle = (low + high) >>> 1;
        const order = pairs[2 * middle]! - first || pairs[2 * middle + 1]! - second;
        if (order === 0) return middle;
        if (order < 0) low = middle + 1;
        else high = middle - 1;
      }
      return -1;
    },
  };
}

/** A table without pairs. */
export const NO_PHRASES: Phrases = phrasesOf(new Uint32Array(0));
