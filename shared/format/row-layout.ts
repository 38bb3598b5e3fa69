/** Where the rows of a table lie in its section `rows`: docs/format.md section 6, "Tiers". */
import type { RowBits } from "../kernels/kernels.ts";
import { rowBytes } from "../kernels/packing.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import type { ByteRange } from "./plan.ts";

/** Neighbouring rows with one number of bits a value. */
export interface RowTier {
  readonly rows: number;
  readonly bits: RowBits;
  /** Value of each code, as in the table's meta. */
  readonly codebook: readonly number[];
}

/** What a layout depends on. */
export interface RowShape {
  readonly rows: number;
  readonly padded: number;
  readonly bits: RowBits;
  readonly codebook: readonly number[];
  readonly tiers?: readonly RowTier[];
}

/** A tier with its place. */
export interface PlacedTier {
  /** Its rows are `first` to `end` - 1. */
  readonly first: number;
  readonly end: number;
  readonly bits: RowBits;
  readonly codebook: readonly number[];
  /** Bytes of a row. */
  readonly bytes: number;
  /** Where its first row begins, and where the next tier does. */
  readonly start: number;
  readonly stop: number;
  /** Rows of a page, which is a block of the file; infinite where rows lie one after the other. */
  readonly perPage: number;
}

/** Bytes of a page of rows: a block of the file. */
export const PAGE = FORMAT_LIMITS.blockBytes;

/** The tiers of a table, of which one without `tiers` has a single one, without pages. */
export function layoutOf({ rows, padded, bits, codebook, tiers }: RowShape): readonly PlacedTier[] {
  if (tiers === undefined) {
    const bytes = rowBytes(padded, bits);
    const perPage = Number.POSITIVE_INFINITY;
    return [{ first: 0, end: rows, bits, codebook, bytes, start: 0, stop: rows * bytes, perPage }];
  }
  let first = 0;
  let start = 0;
  return tiers.map((tier) => {
    const bytes = rowBytes(padded, tier.bits);
    const perPage = Math.floor(PAGE / bytes);
    const end = first + tier.rows;
    const stop = start + Math.ceil(tier.rows / perPage) * PAGE;
    const placed = { first, end, bits: tier.bits, codebook: tier.codebook, bytes, start, stop, perPage };
    first = end;
    start = stop;
    return placed;
  });
}

/** Bytes of the section. */
export function layoutBytes(layout: readonly PlacedTier[]): number {
  return layout.at(-1)?.stop ?? 0;
}

/** The tier of a row, which must be one of the table's. */
export function tierOf<Tier extends Pick<PlacedTier, "end">>(layout: readonly Tier[], row: number): Tier {
  let at = 0;
  while (row >= layout[at]!.end) at++;
  return layout[at]!;
}

/** Bytes from the beginning of the row's tier to the row. */
export function offsetIn(
  { first, bytes, perPage }: Pick<PlacedTier, "first" | "bytes" | "perPage">,
  row: number,
): number {
  const at = row - first;
  return at < perPage ? at * bytes : Math.floor(at / perPage) * PAGE + (at % perPage) * bytes;
}

/** Where a row lies in the section; it must be one of the table's. */
export function rangeOf(layout: readonly PlacedTier[], row: number): ByteRange {
  const tier = tierOf(layout, row);
  const start = tier.start + offsetIn(tier, row);
  return { start, end: start + tier.bytes };
}

/** How many rows, from the first on, lie wholly within so many bytes of the section. */
export function rowsWithin(layout: readonly PlacedTier[], bytes: number): number {
  let count = 0;
  for (const { first, end, start, bytes: each, perPage } of layout) {
    const room = bytes - start;
    if (room <= 0) break;
    const pages = Math.floor(room / PAGE);
    const within =
      perPage === Number.POSITIVE_INFINITY
        ? Math.floor(room / each)
        : pages * perPage + Math.min(perPage, Math.floor((room - pages * PAGE) / each));
    count = first + Math.min(end - first, within);
    if (count < end) break;
  }
  return count;
}
