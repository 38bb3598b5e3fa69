import { addRow, type DecodedTable } from "../compress/decode-table.ts";

/** Document mix: a document's vector drawn a little towards what a bag of tokens can say of it. */

/** Share of the table's own vector. 0 leaves the encoder alone; more helps dense search and costs hybrid search. 0, 0.25 and 0.5 were tried. */
export const MIX = 0.25;

/**
 * unit(d + a unit(sum of rows of the document's own tokens)): docs/method.md, section 3.
 * The table's rows are in the space of `vector`, which is left alone.
 */
export function mixVectors(
  vector: Float32Array,
  tokens: readonly number[],
  table: Pick<DecodedTable, "row">,
  share: number,
): Float32Array<ArrayBuffer> {
  const { length } = vector;
  const sum = new Float64Array(length);
  if (share > 0) for (const id of tokens) addRow(sum, table.row(id));
  const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
  const mixed = Float64Array.from(vector, (value, j) => value + (norm > 0 ? (share * sum[j]!) / norm : 0));
  const mixedNorm = Math.sqrt(mixed.reduce((squares, value) => squares + value * value, 0));
  return Float32Array.from(mixed, (value) => (mixedNorm > 0 ? value / mixedNorm : 0));
}
