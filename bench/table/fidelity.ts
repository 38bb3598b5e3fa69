/** How near a compressed table is to the rows that it was made of. */
import { dot } from "../../indexer/evaluate/brute-force.ts";
import { mean } from "../../indexer/evaluate/evaluate.ts";
import { encodeQuery } from "../../shared/engine/encode-query.ts";
import { addRow, type ResidentTable } from "../../shared/engine/resident-table.ts";
import { NO_ROW } from "../../shared/format/table.ts";
import type { StretchedTable } from "./stretch.ts";

const NEAREST = 10;

/** Rows that most of a query's are. */
const HOT = 2000;
/** Of the others every so many are looked at. */
const STRIDE = 16;

/** Mean cosine of rows with what is stored of them, over all of them and over those used most. */
export function errorsOf(
  table: StretchedTable,
  resident: ResidentTable,
): { readonly all: number; readonly hot: number } {
  const { kernels, meta, sum, rank, scales } = resident;
  const all: number[] = [];
  const hot: number[] = [];
  for (let id = 0; id < meta.vocabulary; id++) {
    const row = rank[id]!;
    if (row === NO_ROW || (row >= HOT && row % STRIDE !== 0)) continue;
    kernels.floats(sum, meta.padded).fill(0);
    addRow(resident, row, scales[row]!);
    const cosine = cosineOf(kernels.floats(sum, meta.dimension), table.row(id));
    if (row % STRIDE === 0) all.push(cosine);
    if (row < HOT) hot.push(cosine);
  }
  return { all: mean(all), hot: mean(hot) };
}

/** What queries lose: cosines of their vectors, mean and worst hundredth, and the share of their ten nearest documents that stay. */
export function fidelityOf(
  table: StretchedTable,
  resident: ResidentTable,
  queries: readonly (readonly number[])[],
  documents: readonly (readonly number[])[],
): { readonly cosine: number; readonly low: number; readonly topTen: number } {
  const rows = new Map<number, Float32Array>();
  const sumOf = (ids: readonly number[]) => {
    const sum = new Float32Array(table.dimension);
    for (const id of ids) {
      const row = rows.get(id) ?? table.row(id);
      rows.set(id, row);
      for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
    }
    const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
    return sum.map((value) => value / (norm || 1));
  };
  const vectors = documents.map(sumOf);
  const cosines: number[] = [];
  let same = 0;
  for (const ids of queries) {
    const exact = sumOf(ids);
    const { dense } = encodeQuery(resident, ids);
    const stored = Float32Array.from(dense!.values.subarray(0, table.dimension));
    cosines.push(cosineOf(stored, exact));
    const kept = new Set(nearest(stored, vectors));
    same += nearest(exact, vectors).filter((at) => kept.has(at)).length;
  }
  const sorted = [...cosines].sort((a, b) => a - b);
  return {
    cosine: mean(cosines),
    low: sorted[Math.floor(sorted.length / 100)]!,
    topTen: same / (queries.length * NEAREST),
  };
}

function nearest(query: Float32Array, vectors: readonly Float32Array[]): readonly number[] {
  const scores = vectors.map((vector) => dot(query, vector));
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, NEAREST);
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
