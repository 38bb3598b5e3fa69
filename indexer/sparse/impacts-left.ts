/** The sparse side of a document that something was cut out of, for choosing the fusion weight. */

import {
  type Bag,
  bagOf,
  type CollectionStatistics,
  impactsOf,
  SPARSE_OPTIONS,
  type SparseOptions,
} from "../../shared/segment/impacts.ts";
import type { SparseVector } from "../encode/encoder.ts";

/**
 * Impacts of a document without what was cut from it. Learned ones are those of the whole
 * document for tokens that still occur, and of the rest of the chunk for all others, which the
 * cut may have brought in.
 */
export function impactsLeft(
  document: { readonly bag: Bag; readonly learned: SparseVector | null },
  cut: readonly number[],
  learned: SparseVector | null,
  statistics: CollectionStatistics,
  options: SparseOptions = SPARSE_OPTIONS,
): SparseVector {
  const gone = bagOf(cut);
  const { ids, counts, length } = document.bag;
  const kept = Array.from(ids, (id, at) => ({ id, count: counts[at]! - countIn(gone, id) })).filter(
    ({ count }) => count > 0,
  );
  const bag: Bag = {
    ids: Uint32Array.from(kept, ({ id }) => id),
    counts: Uint32Array.from(kept, ({ count }) => count),
    length: Math.max(1, length - gone.length),
  };
  if (learned === null || document.learned === null) return impactsOf(bag, null, statistics, options);
  const occurs = new Set(bag.ids);
  const entries = [
    ...entriesOf(document.learned).filter(([id]) => occurs.has(id)),
    ...entriesOf(learned).filter(([id]) => !occurs.has(id)),
  ].sort(([a], [b]) => a - b);
  const merged = {
    ids: Uint32Array.from(entries, ([id]) => id),
    values: Float32Array.from(entries, ([, value]) => value),
  };
  return impactsOf(bag, merged, statistics, options);
}

function countIn({ ids, counts }: Bag, id: number): number {
  const at = ids.indexOf(id);
  return at < 0 ? 0 : counts[at]!;
}

function entriesOf({ ids, values }: SparseVector): readonly (readonly [number, number])[] {
  return Array.from(ids, (id, at) => [id, values[at]!] as const);
}
