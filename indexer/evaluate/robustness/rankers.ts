/** The first ten documents of a text by everything that is compared. */
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { searchIds } from "../evaluate.ts";
import { type FullParts, fullRanker, fullVectors } from "../full-encoder.ts";
import type { RankedIds } from "../metrics.ts";

/**
 * The index in its three modes and in hybrid search without correction of misspelt words; the full encoder
 * alone and with the index's sparse side, and plain BM25, none of which corrects anything.
 */
export const RANKERS = [
  "hybrid",
  "dense",
  "sparse",
  "uncorrected",
  "full-hybrid",
  "full-dense",
  "bm25",
] as const;
/** One of them. */
export type RankerName = (typeof RANKERS)[number];

/** A value for each ranker. */
export type ByRanker<T> = Readonly<Record<RankerName, T>>;

/** Ranks texts by every ranker: one entry per text, in their order. A text is ranked once, however often it is asked for. */
export type RankAll = (texts: readonly string[]) => Promise<readonly ByRanker<RankedIds>[]>;

/** Documents of a ranking that suites look at. */
export const TOP = 10;

/** The rankers of an index and of what it stands in for. */
export function createRankAll(index: OpenIndex, full: FullParts): RankAll {
  const known = new Map<string, ByRanker<RankedIds>>();
  const beside = fullRanker(full, TOP);
  return async (texts) => {
    const fresh = [...new Set(texts)].filter((text) => !known.has(text));
    const vectors = await fullVectors(fresh, full, "query");
    for (const [at, text] of fresh.entries()) {
      known.set(text, {
        hybrid: await searchIds(index, text, "hybrid", TOP),
        dense: await searchIds(index, text, "dense", TOP),
        sparse: await searchIds(index, text, "sparse", TOP),
        uncorrected: await searchIds(index, text, "hybrid", TOP, { typos: false }),
        ...beside(text, vectors[at]!),
      });
    }
    return texts.map((text) => known.get(text)!);
  };
}

/** A value for each ranker, computed. */
export function byRanker<T>(of: (name: RankerName) => T): ByRanker<T> {
  return Object.fromEntries(RANKERS.map((name) => [name, of(name)])) as ByRanker<T>;
}

/** Share of the first ranking's documents that the second has too; 1 where the first is empty. */
export function overlap(a: RankedIds, b: RankedIds): number {
  const found = new Set(b);
  return a.length === 0 ? 1 : a.filter((id) => found.has(id)).length / a.length;
}
