/** Which pairs of neighbouring tokens get a table row of their own: those that most chunks have. */

/** How many pairs to take. */
export interface PhrasePlan {
  /**
   * Pairs at most, 0 for none. 5,000 bring most of what 20,000 do (decision 0008); each costs a
   * row, 156 bytes at 384 dimensions and 3 bits.
   */
  readonly most: number;
  /** Chunks that must have a pair: one alone teaches nothing that its tokens do not. */
  readonly least: number;
  /** Chunks counted at most, taken at even distances, so that memory does not grow with the collection. */
  readonly chunks: number;
}

/** The plan every index is built with. */
export const PHRASE_PLAN: PhrasePlan = { most: 8000, least: 2, chunks: 20_000 };

/** What pairs are counted in. */
export interface Chunks {
  readonly chunks: number;
  /** Token ids of a chunk, in order. */
  tokens(chunk: number): readonly number[];
}

/** First and second token of each chosen pair, ascending. The same chunks give the same pairs. */
export function choosePhrases(
  corpus: Chunks,
  vocabulary: number,
  plan: PhrasePlan = PHRASE_PLAN,
): Uint32Array<ArrayBuffer> {
  const stride = Math.max(1, corpus.chunks / plan.chunks);
  const counts = new Map<number, number>();
  for (let at = 0; Math.floor(at) < corpus.chunks; at += stride) {
    const ids = corpus.tokens(Math.floor(at));
    const distinct = new Set<number>();
    for (let i = 1; i < ids.length; i++) distinct.add(ids[i - 1]! * vocabulary + ids[i]!);
    for (const key of distinct) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const chosen = [...counts]
    .filter(([, count]) => count >= plan.least)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, plan.most)
    .map(([key]) => key)
    .sort((a, b) => a - b);
  return Uint32Array.from(chosen.flatMap((key) => [Math.floor(key / vocabulary), key % vocabulary]));
}
