/** Which rows of a table lie in kernel memory, and where: all of them, or the most used ones and those of pairs. */
import { layoutBytes, layoutOf, PAGE, type PlacedTier, rangeOf, rowsWithin } from "../format/row-layout.ts";
import { type TableMeta, tokenRows } from "../format/table.ts";
import type { RowBits } from "../kernels/kernels.ts";

/** Neighbouring rows of one tier that all lie in memory, or none of them. */
export interface RowRun {
  readonly first: number;
  readonly end: number;
  readonly bits: RowBits;
  readonly bytes: number;
  readonly perPage: number;
  /** Number of its tier, whose codebook it has. */
  readonly tier: number;
  /** Where its first row is, from the start of the rows in memory; -1 for rows of the tail. */
  readonly start: number;
}

/** A part of the section `rows`, and where it goes. */
export interface RowPart {
  readonly start: number;
  readonly end: number;
  readonly to: number;
}

/** Which rows are kept. */
export interface RowPlan {
  /** In the order of the rows. */
  readonly runs: readonly RowRun[];
  /** What is read of the section, and the bytes that it takes together. */
  readonly parts: readonly RowPart[];
  readonly bytes: number;
  /** Rows of the tail: `first` to `end` - 1, none where they are equal. */
  readonly tail: { readonly first: number; readonly end: number; readonly rowBytes: number };
  readonly layout: readonly PlacedTier[];
}

/**
 * Keeps the rows of pairs, and of the others as many as fit `mostBytes` beside them, the first ones: rows go by
 * use. A query has a row of a pair for nothing but two tokens that it has, so pairs are as hot as what is hottest.
 */
export function planRows(meta: TableMeta, mostBytes: number): RowPlan {
  const layout = layoutOf(meta);
  const tokens = tokenRows(meta);
  const all = layoutBytes(layout);
  const pairsAt = tokens === meta.rows ? all : rangeOf(layout, tokens).start;
  const room = Math.max(0, mostBytes - (all - pairsAt));
  // Whole pages, so that what is read is what is kept.
  const headEnd = pairsAt <= room ? pairsAt : room - (room % PAGE);
  const first = headEnd === pairsAt ? tokens : Math.min(tokens, rowsWithin(layout, headEnd));
  const parts = [
    { start: 0, end: headEnd, to: 0 },
    { start: pairsAt, end: all, to: headEnd },
  ].filter(({ start, end }) => end > start);
  const runs = layout.flatMap((tier, number): readonly RowRun[] => {
    const run = (from: number, end: number, start: number): RowRun => ({
      ...{ first: from, end, bits: tier.bits, bytes: tier.bytes, perPage: tier.perPage, tier: number, start },
    });
    const cuts = [tier.first, first, tokens, tier.end].map((cut) =>
      Math.min(tier.end, Math.max(tier.first, cut)),
    );
    return [
      run(cuts[0]!, cuts[1]!, tier.start),
      run(cuts[1]!, cuts[2]!, -1),
      run(cuts[2]!, cuts[3]!, headEnd + Math.max(0, tier.start - pairsAt)),
    ].filter((each) => each.end > each.first);
  });
  const widest = runs.reduce((most, { start, bytes }) => (start < 0 ? Math.max(most, bytes) : most), 0);
  return {
    ...{ runs, parts, bytes: headEnd + (all - pairsAt), layout },
    tail: { first, end: tokens, rowBytes: widest },
  };
}
