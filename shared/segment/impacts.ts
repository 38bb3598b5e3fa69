/**
 * The sparse side of documents: BM25 over the model's own tokens plus the expansion of a
 * learned sparse encoder, as one impact per document and token.
 *
 *   score(q, d) = sum over t of count_q(t) * idf(t) * (tf(t, d) + alpha * learned(t, d))
 *
 * with tf the saturated term frequency of BM25 (Robertson and Zaragoza 2009, equation
 * 3.15). The idf is the query's weight, so impacts stay within a narrow range and eight
 * bits are enough.
 */

/** A sparse vector: token ids ascending, each once, with values above 0. */
export interface SparseVector {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}

/** Numbers of the sparse side. */
export interface SparseOptions {
  /** Saturation of term frequency, 0 (presence only) upwards. 0.9 is Anserini's choice for passages. */
  readonly k1: number;
  /** Length normalisation, 0 (none) to 1 (full). */
  readonly b: number;
  /** Share of the learned impacts. More of it counts expansion for more and exact words for less; 0 is plain BM25. Decision 0003. */
  readonly alpha: number;
  /** Least impact of a token that the text does not have, alpha applied; 0 keeps all. More of it saves postings. Decision 0003. */
  readonly least: number;
  /** Whether the words of the text count by themselves. Absent means yes; no leaves the learned impacts alone, of a text that has any. */
  readonly lexical?: boolean;
}

/** The options that indexes are built with; decision 0003 has the measurements. */
export const SPARSE_OPTIONS: SparseOptions = { k1: 0.9, b: 0.4, alpha: 0.5, least: 0 };
/** Those of indexes that have clusters: so large that memory is what limits them. */
export const LARGE_SPARSE_OPTIONS: SparseOptions = { ...SPARSE_OPTIONS, least: 0.4 };

/** Those of models whose impacts were trained to be all of the sparse side (LightRetriever, arXiv 2505.12260). */
export const LEARNED_SPARSE_OPTIONS: SparseOptions = { ...SPARSE_OPTIONS, alpha: 1, lexical: false };

/** The options of an index with clusters or without. */
export function sparseOptionsOf(hasClusters: boolean): SparseOptions {
  return hasClusters ? LARGE_SPARSE_OPTIONS : SPARSE_OPTIONS;
}

/** Token counts of one document. */
export interface Bag {
  /** Distinct token ids, ascending, with how often each occurs. */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Tokens in all. */
  readonly length: number;
}

/** The bag of these tokens. */
export function bagOf(tokens: readonly number[]): Bag {
  const sorted = Uint32Array.from(tokens).sort();
  const ids = sorted.filter((id, at) => at === 0 || id !== sorted[at - 1]);
  const counts = new Uint32Array(ids.length);
  for (let at = 0, i = 0; i < sorted.length; i++) {
    if (sorted[i] !== ids[at]) at++;
    counts[at]!++;
  }
  return { ids, counts, length: tokens.length };
}

/** What BM25 needs to know of a whole collection. */
export interface CollectionStatistics {
  readonly documents: number;
  /** Tokens of a document, on average; 1 for an empty collection. */
  readonly meanLength: number;
  /** Inverse document frequency of each token id: ln(1 + (N - df + 0.5) / (df + 0.5)). */
  readonly idf: Float64Array<ArrayBuffer>;
}

/** Statistics over the bags of all documents. */
export function statisticsOf(bags: readonly Bag[], vocabulary: number): CollectionStatistics {
  const frequency = new Uint32Array(vocabulary);
  let tokens = 0;
  for (const bag of bags) {
    tokens += bag.length;
    for (const id of bag.ids) frequency[id]!++;
  }
  const documents = bags.length;
  const idf = Float64Array.from(frequency, (df) => Math.log(1 + (documents - df + 0.5) / (df + 0.5)));
  return { documents, meanLength: tokens > 0 ? tokens / documents : 1, idf };
}

/** A document's impacts: token ids, ascending, each with a value above 0. */
export function impactsOf(
  bag: Bag,
  learned: SparseVector | null,
  statistics: Pick<CollectionStatistics, "meanLength">,
  options: SparseOptions = SPARSE_OPTIONS,
): SparseVector {
  const { k1, b, alpha, least, lexical: counts = true } = options;
  const norm = k1 * (1 - b + (b * bag.length) / statistics.meanLength);
  const sums = new Map<number, number>();
  if (counts || learned === null) {
    bag.ids.forEach((id, at) => {
      const count = bag.counts[at]!;
      sums.set(id, (count * (k1 + 1)) / (count + norm));
    });
  }
  learned?.ids.forEach((id, at) => {
    const lexical = sums.get(id);
    const impact = alpha * learned.values[at]!;
    if (lexical !== undefined || impact >= least) sums.set(id, (lexical ?? 0) + impact);
  });
  const entries = [...sums].sort(([a], [c]) => a - c);
  return {
    ids: Uint32Array.from(entries, ([id]) => id),
    values: Float32Array.from(entries, ([, value]) => value),
  };
}

/** The greatest value of each token over several vectors: how a document's chunks become one sparse vector. */
export function maxPool(vectors: readonly SparseVector[]): SparseVector {
  if (vectors.length === 1) return vectors[0]!;
  const greatest = new Map<number, number>();
  for (const { ids, values } of vectors) {
    ids.forEach((id, at) => {
      greatest.set(id, Math.max(greatest.get(id) ?? 0, values[at]!));
    });
  }
  const entries = [...greatest].sort(([a], [b]) => a - b);
  return {
    ids: Uint32Array.from(entries, ([id]) => id),
    values: Float32Array.from(entries, ([, value]) => value),
  };
}
