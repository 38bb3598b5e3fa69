/** Texts as rows of counts of tokens and pairs: the left side of the fit. */
import { NO_PHRASES, type Phrases } from "../../shared/engine/phrases.ts";

/**
 * A sparse matrix by rows. Row i has its entries from `starts[i]` to `starts[i + 1]`.
 * Arrays lie in shared memory, so that workers read them without a copy.
 */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly starts: Uint32Array<SharedArrayBuffer>;
  readonly indices: Uint32Array<SharedArrayBuffer>;
  readonly values: Float32Array<SharedArrayBuffer>;
}

/** The matrix of a fit, with what each column stands for. */
export interface DesignMatrix {
  readonly matrix: SparseMatrix;
  /** What each column stands for, ascending: a token id, or `vocabulary` + k for pair k. Only what occurs. */
  readonly features: Uint32Array<ArrayBuffer>;
}

/**
 * x(s) = counts / sqrt(number of tokens), row by row: the length of a sum of n unrelated
 * rows grows with the square root of n, so every text pulls with about the same force.
 */
export function designMatrix(
  texts: readonly (readonly number[])[],
  vocabulary: number,
  phrases: Phrases = NO_PHRASES,
): DesignMatrix {
  const used = new Set<number>();
  let entries = 0;
  for (const ids of texts) {
    const distinct = new Set(featuresOf(ids, vocabulary, phrases));
    entries += distinct.size;
    for (const id of distinct) used.add(id);
  }
  const features = Uint32Array.from(used).sort();
  const columnOf = new Map(Array.from(features, (feature, column) => [feature, column]));
  const matrix = allocate(texts.length, features.length, entries);
  let at = 0;
  texts.forEach((ids, row) => {
    const counts = new Map<number, number>();
    for (const id of featuresOf(ids, vocabulary, phrases)) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of [...counts].sort(([a], [b]) => a - b)) {
      matrix.indices[at] = columnOf.get(id)!;
      matrix.values[at] = count / Math.sqrt(ids.length);
      at++;
    }
    matrix.starts[row + 1] = at;
  });
  return { matrix, features };
}

/** The tokens of a text, and the pairs that neighbours make. */
function featuresOf(ids: readonly number[], vocabulary: number, phrases: Phrases): readonly number[] {
  if (phrases.count === 0) return ids;
  const features = [...ids];
  for (let at = 1; at < ids.length; at++) {
    const pair = phrases.find(ids[at - 1]!, ids[at]!);
    if (pair >= 0) features.push(vocabulary + pair);
  }
  return features;
}

function allocate(rows: number, columns: number, entries: number): SparseMatrix {
  return {
    rows,
    columns,
    starts: new Uint32Array(new SharedArrayBuffer(4 * (rows + 1))),
    indices: new Uint32Array(new SharedArrayBuffer(4 * entries)),
    values: new Float32Array(new SharedArrayBuffer(4 * entries)),
  };
}
