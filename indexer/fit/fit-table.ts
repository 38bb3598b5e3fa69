/** Texts and their encodings into a query table: the source `fitted` of docs/method.md, section 2. */
import { designMatrix } from "./design-matrix.ts";
import { solveRidge } from "./solve-parallel.ts";

/** A query table in full precision, before compression. */
export interface FloatTable {
  /** vocabulary x dimension, row-major, in the rotated space. Tokens without a row are all zeros. */
  readonly rows: Float32Array<ArrayBuffer>;
  readonly dimension: number;
  /** Figures for the table's header. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Pairs of a text's token ids and its vector in the rotated space. */
export interface FitTexts {
  readonly tokens: readonly (readonly number[])[];
  /** texts x dimension, row-major. */
  readonly targets: Float32Array<SharedArrayBuffer>;
}

/** Numbers of the fit. */
export interface FitOptions {
  /**
   * Pull towards the prior, above 0. With 0.3 a token's row is the prior's until it has
   * occurred a few times. Decision 0002 has the one other value that was tried.
   */
  readonly lambda: number;
  /** Steps of conjugate gradient; fewer cost less and leave a greater residual. 25 lies in the prototype's 20 to 30. */
  readonly iterations: number;
}

/** The options every index is built with. */
export const FIT_OPTIONS: FitOptions = { lambda: 0.3, iterations: 25 };

/** Fits a table to texts, starting from a prior of vocabulary x dimension in the same space; the prior is left alone. */
export async function fitTable(
  texts: FitTexts,
  prior: Float32Array,
  dimension: number,
  options: FitOptions = FIT_OPTIONS,
  onProgress?: (done: number) => void,
): Promise<FloatTable> {
  const { matrix, tokens } = designMatrix(texts.tokens);
  const table = new Float32Array(new SharedArrayBuffer(4 * tokens.length * dimension));
  tokens.forEach((token, column) => {
    table.set(prior.subarray(token * dimension, (token + 1) * dimension), column * dimension);
  });
  const squares = await solveRidge(
    { design: matrix, targets: texts.targets, table, dimension, ...options },
    onProgress,
  );
  const rows = Float32Array.from(prior);
  tokens.forEach((token, column) => {
    rows.set(table.subarray(column * dimension, (column + 1) * dimension), token * dimension);
  });
  const figures = {
    texts: texts.tokens.length,
    tokens: tokens.length,
    lambda: options.lambda,
    iterations: options.iterations,
    // Root mean square of the distance between a text's vector and what its tokens add up to.
    residual: Math.sqrt(squares / Math.max(1, texts.tokens.length)),
  };
  return { rows, dimension, figures };
}
