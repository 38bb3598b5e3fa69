/** Texts and their encodings into a query table: the source `fitted` of docs/method.md, section 2. */
import { NO_PHRASES, phrasesOf } from "../../shared/engine/phrases.ts";
import { designMatrix } from "./design-matrix.ts";
import { solveRidge } from "./solve-parallel.ts";

/** A query table in full precision, before compression. */
export interface FloatTable {
  /** vocabulary x dimension, row-major, in the rotated space. Tokens without a row are all zeros. */
  readonly rows: Float32Array<ArrayBuffer>;
  /** First and second token of each pair with a row of its own, ascending; and those rows, pairs x dimension. */
  readonly phrases: Uint32Array<ArrayBuffer>;
  readonly phraseRows: Float32Array<ArrayBuffer>;
  readonly dimension: number;
  /** Figures for the table's header. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Pairs of a text's token ids and its vector in the rotated space. */
export interface FitTexts {
  readonly tokens: readonly (readonly number[])[];
  /** Pairs of tokens to give a row of their own, as in the table. */
  readonly phrases: Uint32Array<ArrayBuffer>;
  /** texts x dimension, row-major. */
  readonly targets: Float32Array<SharedArrayBuffer>;
}

/** Numbers of the fit. */
export interface FitOptions {
  /**
   * Pull of a token's row towards the prior, above 0: the row is the prior's until the token
   * has occurred a few times. Decision 0008 has the values that were tried.
   */
  readonly lambda: number;
  /** Pull of a pair's row towards zero, above 0: more keeps pairs that hardly occur from saying anything. */
  readonly phraseLambda: number;
  /** Steps of conjugate gradient; fewer cost less and leave a greater residual. 25 lies in the prototype's 20 to 30. */
  readonly iterations: number;
}

/** The options every index is built with. */
export const FIT_OPTIONS: FitOptions = { lambda: 0.6, phraseLambda: 1, iterations: 25 };

/** Fits a table to texts, starting from a prior of vocabulary x dimension in the same space; the prior is left alone. */
export async function fitTable(
  texts: FitTexts,
  prior: Float32Array,
  dimension: number,
  options: FitOptions = FIT_OPTIONS,
  onProgress?: (done: number) => void,
): Promise<FloatTable> {
  const vocabulary = prior.length / dimension;
  const phrases = texts.phrases.length === 0 ? NO_PHRASES : phrasesOf(texts.phrases);
  const { matrix, features } = designMatrix(texts.tokens, vocabulary, phrases);
  const rows = new Float32Array(prior.length + phrases.count * dimension);
  rows.set(prior);
  const rowOf = (feature: number) => rows.subarray(feature * dimension, (feature + 1) * dimension);
  const table = new Float32Array(new SharedArrayBuffer(4 * features.length * dimension));
  const lambda = new Float32Array(new SharedArrayBuffer(4 * features.length));
  features.forEach((feature, column) => {
    table.set(rowOf(feature), column * dimension);
    lambda[column] = feature < vocabulary ? options.lambda : options.phraseLambda;
  });
  const { iterations } = options;
  const squares = await solveRidge(
    { design: matrix, targets: texts.targets, table, dimension, lambda, iterations },
    onProgress,
  );
  features.forEach((feature, column) => {
    rowOf(feature).set(table.subarray(column * dimension, (column + 1) * dimension));
  });
  const figures = {
    texts: texts.tokens.length,
    tokens: features.filter((feature) => feature < vocabulary).length,
    phrases: phrases.count,
    lambda: options.lambda,
    phrase_lambda: options.phraseLambda,
    iterations,
    // Root mean square of the distance between a text's vector and what its tokens add up to.
    residual: Math.sqrt(squares / Math.max(1, texts.tokens.length)),
  };
  return {
    rows: rows.slice(0, prior.length),
    phrases: texts.phrases,
    phraseRows: rows.slice(prior.length),
    dimension,
    figures,
  };
}
