/**
 * How many bits the rows of a table get within a number of bytes: rows that queries use much get more, so that
 * the error of queries is least (docs/decisions/0022-table-size.md).
 */

/** Bits that a row may have, and what a value of a unit normal loses by them (Max 1960, table I). */
export const TIER_BITS = [1, 2, 3, 4] as const;
const DISTORTION = [1, 0.3634, 0.1175, 0.03454, 0.009497] as const;

/** Rows of each number of bits, in the order of the rows: four, three, two, one. */
export interface TierPlan {
  readonly rows: number;
  readonly bits: (typeof TIER_BITS)[number];
}

/**
 * The tiers of rows that are used so often, given most used first, within `bitBudget`: bits that there are for each
 * value of a row, summed over rows. Null where that is less than one each. A row of which nothing is known counts as used
 * once. Another bit goes where it spares most: its use times what the bit takes off the distortion.
 */
export function planTiers(uses: ArrayLike<number>, bitBudget: number): readonly TierPlan[] | null {
  const rows = uses.length;
  if (bitBudget < rows) return null;
  // reach[b]: rows, from the first on, that have more than b bits.
  const reach = [rows, 0, 0, 0];
  const gain = (bits: number): number => {
    const row = reach[bits]!;
    return row === rows ? -1 : (uses[row]! + 1) * (DISTORTION[bits]! - DISTORTION[bits + 1]!);
  };
  for (let left = Math.floor(bitBudget) - rows; left > 0; left--) {
    const gains = [gain(1), gain(2), gain(3)];
    const most = Math.max(...gains);
    if (most < 0) break;
    reach[gains.indexOf(most) + 1]!++;
  }
  return [4, 3, 2, 1].flatMap((bits) => {
    const count = reach[bits - 1]! - (reach[bits] ?? 0);
    return count > 0 ? [{ rows: count, bits: bits as TierPlan["bits"] }] : [];
  });
}
