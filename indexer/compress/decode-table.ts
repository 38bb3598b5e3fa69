/** Stored rows back into numbers: what the edge adds up, in float32 and without kernels. */
import { type Phrases, phrasesOf } from "../../shared/engine/phrases.ts";
import { NO_ROW, rowRange, type TableFile, tokenRows } from "../../shared/format/table.ts";
import { unpackRow } from "../../shared/kernels/packing.ts";

/** A table in numbers, in the rotated space. */
export interface DecodedTable {
  readonly dimension: number;
  /** vocabulary x dimension; zeros for tokens without a row. */
  readonly decoded: Float32Array<ArrayBuffer>;
  readonly phrases: Phrases;
  /** pairs x dimension. */
  readonly decodedPhrases: Float32Array<ArrayBuffer>;
}

/** A table's rows by token and by pair. */
export function decodeTable(table: TableFile): DecodedTable {
  const { dimension, padded, bits, codebook, vocabulary } = table.meta;
  const phrases = phrasesOf(table.phrases);
  const decoded = new Float32Array(vocabulary * dimension);
  const decodedPhrases = new Float32Array(phrases.count * dimension);
  const put = (row: number, out: Float32Array, at: number): void => {
    const { start, end } = rowRange(table.meta, row);
    const codes = unpackRow(table.rows.subarray(start, end), bits, padded);
    for (let j = 0; j < dimension; j++) {
      const code = codes[j]!;
      out[at * dimension + j] = table.scales[row]! * (bits === 8 ? code : codebook[code]!);
    }
  };
  table.rank.forEach((row, id) => {
    if (row !== NO_ROW) put(row, decoded, id);
  });
  for (let pair = 0; pair < phrases.count; pair++) put(tokenRows(table.meta) + pair, decodedPhrases, pair);
  return { dimension, decoded, phrases, decodedPhrases };
}

/** Sum of the rows of tokens and of the pairs that neighbours make: the dumb twin of the edge's. Not normalised. */
export function sumOfRows(table: DecodedTable, ids: readonly number[]): Float64Array<ArrayBuffer> {
  const { dimension, decoded, phrases, decodedPhrases } = table;
  const sum = new Float64Array(dimension);
  const add = (rows: Float32Array, row: number): void => {
    for (let j = 0; j < dimension; j++) sum[j]! += rows[row * dimension + j] ?? 0;
  };
  ids.forEach((id, at) => {
    add(decoded, id);
    const pair = at === 0 ? -1 : phrases.find(ids[at - 1]!, id);
    if (pair >= 0) add(decodedPhrases, pair);
  });
  return sum;
}
