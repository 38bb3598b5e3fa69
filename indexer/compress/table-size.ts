/** How large a table's file is and, where that is too much, what its rows get: docs/decisions/0022-table-size.md. */
import { LightedgeError } from "../../shared/errors.ts";
import type { RowTier } from "../../shared/format/row-layout.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { planTiers, type TierPlan } from "./plan-tiers.ts";
import { codebookOf } from "./quantize-rows.ts";

/** What a table's size depends on, beside the rows of its tokens. */
export interface TableShape {
  readonly vocabulary: number;
  readonly pairs: number;
  readonly padded: number;
  /** Bits of a value of a pair's row, and of all rows where they fit. */
  readonly bits: RowBits;
  /** Bytes of the file at most; when absent `TABLE_BYTES`, or two bits a value where one does not fit. */
  readonly tableBytes?: number | undefined;
}

/** Bytes of a table that is kept in memory as a whole, beside an index's lexicon, tokenizer and centroids (`MEMORY_LIMITS`). */
export const TABLE_BYTES = 20_000_000;

/** Bits a value, on average, of a table that is not: its rows that are used least are read when they are wanted. */
const BITS_ON_DISK = 2;

/** Bytes of a head without digests; of the pages that tiers leave half empty. */
const HEAD_BYTES = 16 * 1024;
const PAGES_BYTES = 5 * FORMAT_LIMITS.blockBytes;

/** Bytes of everything in a file but its packed rows, of which there are so many; a little more rather than less. */
function columnBytes({ vocabulary, pairs }: TableShape, rows: number): number {
  return HEAD_BYTES + 6 * vocabulary + 4 * (rows + pairs) + 8 * pairs;
}

/** Bytes of a table at most, one with a row for every token. */
export function mostTableBytes(shape: TableShape): number {
  const { vocabulary, pairs, padded, bits, tableBytes } = shape;
  const withBits = (each: number) =>
    columnBytes(shape, vocabulary) + ((vocabulary * each + pairs * bits) * padded) / 8 + PAGES_BYTES;
  return Math.min(withBits(bits), tableBytes ?? Math.max(TABLE_BYTES, withBits(BITS_ON_DISK)));
}

/**
 * The tiers of a table of tokens that are used so often, most used first; null where all rows can have `bits`. Throws
 * `usage/invalid` where the rows do not fit `tableBytes` with a bit a value.
 */
export function tiersOf(uses: ArrayLike<number>, shape: TableShape): readonly RowTier[] | null {
  const { pairs, padded, bits, tableBytes } = shape;
  const perBit = padded / 8;
  const most = tableBytes ?? TABLE_BYTES;
  // Digests take 32 bytes of every block.
  const room = most * (1 - 32 / FORMAT_LIMITS.blockBytes) - columnBytes(shape, uses.length);
  if ((uses.length + pairs) * bits * perBit <= room) return null;
  const left = Math.floor((room - PAGES_BYTES - pairs * bits * perBit) / perBit);
  const plan =
    planTiers(uses, left) ?? planTiers(uses, tableBytes === undefined ? BITS_ON_DISK * uses.length : 0);
  if (plan === null) {
    const least = Math.ceil(most - (left - uses.length) * perBit);
    throw new LightedgeError(
      "usage/invalid",
      `table-bytes is ${most}, and the table takes ${least} with one bit a value. Allow more, or leave it out.`,
      { field: "table-bytes", value: String(most), limit: least },
    );
  }
  const tier = ({ rows, bits: own }: { readonly rows: number; readonly bits: RowBits }): RowTier => ({
    ...{ rows, bits: own, codebook: Array.from(codebookOf(own)) },
  });
  return [...plan.map((each: TierPlan) => tier(each)), ...(pairs > 0 ? [tier({ rows: pairs, bits })] : [])];
}
