/**
 * The dense side's share in hybrid search, chosen without judgements: docs/method.md, section 8.
 * A question cut out of a document should find what is left of it.
 */

/** Both sides' scores of every document for one question, and which document it was cut from. */
export interface HeldOutScores {
  readonly dense: Float64Array;
  readonly sparse: Float64Array;
  readonly own: number;
}

/** A weight with the mean nDCG@10 that it gives. */
export interface WeightPoint {
  readonly weight: number;
  readonly ndcg: number;
}

/** Weights that are tried. */
const STEPS = 20;
/** Hits that count. */
const DEPTH = 10;
/** The engine's usual pool: whoever is in it sets the constants of min-max. */
const POOL = { dense: 400, sparse: 200 } as const;

/**
 * Share of the best nDCG that the chosen weight may cost. Sentences cut out of a document share
 * more words with what is left of it than people's questions do, so their own best weight leans
 * to the sparse side: on judged queries it is about this much further (decision 0009).
 */
const TOLERANCE = 0.015;

/**
 * The greatest weight that is chosen. Both sides take part however well one does alone: the words
 * find names and numbers that held-out sentences seldom ask for, and a passage written to lie
 * near every query has to hold their words as well.
 */
const MOST = 0.8;

/** Mean nDCG@10 of the questions for every weight, 0 to 1. */
export function weightCurve(questions: readonly HeldOutScores[]): readonly WeightPoint[] {
  const gains = new Float64Array(STEPS + 1);
  for (const question of questions) {
    const { dense, sparse } = normalised(question);
    for (let step = 0; step <= STEPS; step++) gains[step]! += gain(dense, sparse, step / STEPS);
  }
  return Array.from(gains, (sum, step) => ({
    weight: step / STEPS,
    ndcg: sum / Math.max(1, questions.length),
  }));
}

/** The greatest weight that costs at most the tolerance, cut to `MOST`. */
export function pickWeight(curve: readonly WeightPoint[]): number {
  const best = curve.reduce((most, { ndcg }) => Math.max(most, ndcg), 0);
  return Math.min(MOST, curve.findLast(({ ndcg }) => ndcg >= (1 - TOLERANCE) * best)!.weight);
}

/** Min-max scores of the pool, the own document's first. Without it in the pool nothing is found. */
function normalised({ dense, sparse, own }: HeldOutScores) {
  const pool = new Set([
    ...greatest(dense, POOL.dense),
    ...greatest(sparse, POOL.sparse).filter((at) => sparse[at]! > 0),
  ]);
  if (!pool.delete(own)) return { dense: [], sparse: [] };
  const order = [own, ...pool];
  return { dense: minMax(order.map((at) => dense[at]!)), sparse: minMax(order.map((at) => sparse[at]!)) };
}

function minMax(scores: readonly number[]): readonly number[] {
  const low = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const width = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY) - low;
  return scores.map((score) => (width > 0 ? (score - low) / width : 0));
}

/** nDCG of one relevant document: that which comes first. Others with its score come before it. */
function gain(dense: readonly number[], sparse: readonly number[], weight: number): number {
  if (dense.length === 0) return 0;
  const fused = (at: number) => weight * dense[at]! + (1 - weight) * sparse[at]!;
  const own = fused(0);
  let rank = 1;
  for (let at = 1; at < dense.length && rank <= DEPTH; at++) if (fused(at) >= own) rank++;
  return rank <= DEPTH ? 1 / Math.log2(rank + 1) : 0;
}

/** Places of the greatest scores. */
function greatest(scores: Float64Array, count: number): number[] {
  if (scores.length <= count) return Array.from(scores.keys());
  const threshold = Float64Array.from(scores).sort()[scores.length - count]!;
  const found: number[] = [];
  for (let at = 0; at < scores.length && found.length < count; at++) {
    if (scores[at]! > threshold) found.push(at);
  }
  for (let at = 0; at < scores.length && found.length < count; at++) {
    if (scores[at] === threshold) found.push(at);
  }
  return found;
}
