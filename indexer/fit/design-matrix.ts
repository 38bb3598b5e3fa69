/** Texts as rows of token counts: the left side of the fit. */

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

/** The matrix of a fit, with the token that each column stands for. */
export interface DesignMatrix {
  readonly matrix: SparseMatrix;
  /** Token id of each column, ascending: only tokens that occur. */
  readonly tokens: Uint32Array<ArrayBuffer>;
}

/**
 * x(s) = counts / sqrt(number of tokens), row by row: the length of a sum of n unrelated
 * rows grows with the square root of n, so every text pulls with about the same force.
 */
export function designMatrix(texts: readonly (readonly number[])[]): DesignMatrix {
  const used = new Set<number>();
  let entries = 0;
  for (const ids of texts) {
    const distinct = new Set(ids);
    entries += distinct.size;
    for (const id of distinct) used.add(id);
  }
  const tokens = Uint32Array.from(used).sort();
  const columnOf = new Map(Array.from(tokens, (token, column) => [token, column]));
  const matrix = allocate(texts.length, tokens.length, entries);
  let at = 0;
  texts.forEach((ids, row) => {
    const counts = new Map<number, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of [...counts].sort(([a], [b]) => a - b)) {
      matrix.indices[at] = columnOf.get(id)!;
      matrix.values[at] = count / Math.sqrt(ids.length);
      at++;
    }
    matrix.starts[row + 1] = at;
  });
  return { matrix, tokens };
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
