/** Stored rows back into numbers, one at a time: what the edge adds up, in float32 and without kernels. */
import { type Phrases, phrasesOf } from "../../shared/engine/phrases.ts";
import { layoutOf, rangeOf, tierOf } from "../../shared/format/row-layout.ts";
import { NO_ROW, type TableFile, tokenRows } from "../../shared/format/table.ts";
import { unpackRow } from "../../shared/kernels/packing.ts";
import { MIB } from "../../shared/limits.ts";

/** A table's rows in numbers, in the rotated space. The largest tables do not fit in memory as a whole. */
export interface DecodedTable {
  readonly dimension: number;
  readonly phrases: Phrases;
  /** Row of a token, to be read and not changed; zeros where it has none. */
  row(id: number): Float32Array;
  /** Row of a pair, likewise. */
  pairRow(pair: number): Float32Array;
}

/** Decoded rows that are kept, the most used ones: all of a table of 30,522 rows of 384. */
const KEPT_BYTES = 64 * MIB;

/** A table's rows by token and by pair. Cost of a row that is not kept: some microseconds. */
export function decodeTable(table: TableFile, keptBytes: number = KEPT_BYTES): DecodedTable {
  const { dimension, padded } = table.meta;
  const layout = layoutOf(table.meta);
  const first = tokenRows(table.meta);
  const zeros = new Float32Array(dimension);
  // Rows go by use, so those worth keeping are the first of each kind.
  const most = Math.floor(keptBytes / (4 * dimension));
  const kept = new Map<number, Float32Array>();
  const decode = (row: number): Float32Array => {
    const values = new Float32Array(dimension);
    const { bits, codebook } = tierOf(layout, row);
    const { start, end } = rangeOf(layout, row);
    const codes = unpackRow(table.rows.subarray(start, end), bits, padded);
    for (let j = 0; j < dimension; j++) {
      const code = codes[j]!;
      values[j] = table.scales[row]! * (bits === 8 ? code : codebook[code]!);
    }
    return values;
  };
  const valuesOf = (row: number): Float32Array => {
    const known = kept.get(row);
    if (known !== undefined) return known;
    const values = decode(row);
    if (row < most || row >= first) kept.set(row, values);
    return values;
  };
  return {
    dimension,
    phrases: phrasesOf(table.phrases),
    row(id) {
      const row = table.rank[id];
      return row === undefined || row === NO_ROW ? zeros : valuesOf(row);
    },
    pairRow: (pair) => valuesOf(first + pair),
  };
}

/** Sum of the rows of tokens and of the pairs that neighbours make: the dumb twin of the edge's. Not normalised. */
export function sumOfRows(table: DecodedTable, ids: readonly number[]): Float64Array<ArrayBuffer> {
  const sum = new Float64Array(table.dimension);
  ids.forEach((id, at) => {
    addRow(sum, table.row(id));
    const pair = at === 0 ? -1 : table.phrases.find(ids[at - 1]!, id);
    if (pair >= 0) addRow(sum, table.pairRow(pair));
  });
  return sum;
}

/** Adds a row to a sum of the same length. */
export function addRow(sum: Float64Array, row: Float32Array): void {
  for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
}
