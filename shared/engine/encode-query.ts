/**
 * Text to query, with no model: the whole of what other systems need a neural network
 * for. Dense: the sum of the tokens' table rows (LightRetriever, arXiv 2505.12260,
 * section 3.2). Sparse: token counts times the table's weights.
 */
import { NO_ROW } from "../format/table.ts";
import type { DenseQuery, EncodedQuery, SparseQuery } from "./encoded-query.ts";
import { addRow, type ResidentTable } from "./resident-table.ts";

/**
 * Greatest magnitude of a rescoring query's values. 12 bits keep every kernel sum exact:
 * 4,096 dimensions x 127 x 2,047 is below 2^31, and what rounding does to a
 * cosine is far below what the 8 bits of documents do (bench: `query.rounding`).
 */
const QUERY_LEVELS = 2047;
/** Greatest magnitude of a first-pass query's values: 4-bit two's complement, kept symmetric. */
const PLANE_LEVELS = 7;
/** Bit p of a 4-bit value, moved to bit 8 p: where the four planes lie side by side. */
const SPREAD = Int32Array.from(
  { length: 16 },
  (_, value) => (value & 1) | ((value & 2) << 7) | ((value & 4) << 14) | ((value & 8) << 21),
);

/**
 * Encodes a query's token ids, with multiplicity; rows of a table's tail have been read (`readRows`). `terms` are its
 * tokens on the sparse side (`termIds`). Cost: microseconds; no allocation that grows with the table.
 */
export function encodeQuery(
  table: ResidentTable,
  ids: readonly number[],
  terms: readonly number[] = ids,
): EncodedQuery {
  return { dense: encodeDense(table, ids), sparse: encodeSparse(table, terms) };
}

function encodeDense(table: ResidentTable, ids: readonly number[]): DenseQuery | null {
  const { kernels, meta, sum } = table;
  const { padded } = meta;
  kernels.floats(sum, padded).fill(0);
  forEachRow(table, ids, (row) => {
    addRow(table, row, table.scales[row]!);
  });
  // A codebook has no zero, so the padding of a packed row decodes to something.
  return quantizeQuery(kernels.floats(sum, padded).fill(0, meta.dimension));
}

/**
 * The rows whose sum is the query, in the order they are added: each token's, and after it
 * that of the pair it makes with the token before. `at` is the place of that token in `ids`.
 */
export function forEachRow(
  table: Pick<ResidentTable, "rank" | "phrases" | "firstPhrase">,
  ids: readonly number[],
  visit: (row: number, at: number, isPair: boolean) => void,
): void {
  for (let at = 0; at < ids.length; at++) {
    const row = table.rank[ids[at]!];
    if (row !== undefined && row !== NO_ROW) visit(row, at, false);
    const pair = at === 0 ? -1 : table.phrases.find(ids[at - 1]!, ids[at]!);
    if (pair >= 0) visit(table.firstPhrase + pair, at, true);
  }
}

/** A query vector of any length, not zero, as shards take it; null for zero. Values past the dimension are zero. */
export function quantizeQuery(vector: Float32Array): DenseQuery | null {
  let squares = 0;
  let greatest = 0;
  for (let j = 0; j < vector.length; j++) {
    const value = vector[j]!;
    squares += value * value;
    const magnitude = value < 0 ? -value : value;
    if (magnitude > greatest) greatest = magnitude;
  }
  if (greatest === 0) return null;
  const norm = Math.sqrt(squares);
  const perValue = QUERY_LEVELS / greatest;
  const perPlane = PLANE_LEVELS / greatest;
  // Rounded as `Math.round` does, in half its time.
  const values = new Int16Array(vector.length);
  for (let j = 0; j < vector.length; j++) values[j] = Math.floor(vector[j]! * perValue + 0.5);
  const stride = vector.length >> 3;
  const planes = new Uint8Array(4 * stride);
  let planeSum = 0;
  for (let byte = 0; byte < stride; byte++) {
    let bits = 0;
    for (let bit = 0; bit < 8; bit++) {
      const coarse = Math.floor(vector[byte * 8 + bit]! * perPlane + 0.5);
      planeSum += coarse;
      bits |= SPREAD[coarse & 15]! << bit;
    }
    planes[byte] = bits;
    planes[stride + byte] = bits >> 8;
    planes[2 * stride + byte] = bits >> 16;
    planes[3 * stride + byte] = bits >> 24;
  }
  return { values, scale: 1 / (perValue * norm), planes, planeSum, norm, clusters: null };
}

function encodeSparse(table: ResidentTable, ids: readonly number[]): SparseQuery {
  const sorted = Uint32Array.from(ids).sort();
  const terms: number[] = [];
  const weights: number[] = [];
  for (let at = 0; at < sorted.length; ) {
    const term = sorted[at]!;
    const first = at;
    while (at < sorted.length && sorted[at] === term) at++;
    const weight = (at - first) * (table.weights[term] ?? 0);
    if (weight === 0) continue;
    terms.push(term);
    weights.push(weight);
  }
  return { terms, weights, scale: table.meta.weight_scale };
}
