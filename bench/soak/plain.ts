/**
 * The exact answer of a version, by plain loops over all its documents: the dumb twin of everything that
 * answers, in a shard or out of one, written from the docblocks of shared/engine and docs/method.md. It
 * proposes by sorting all documents, skips nothing, and knows no shard but to leave out what did not answer.
 */
import type { FusionRule, Mode } from "../../shared/types.ts";
import type { StoredRecord, StoredVersion } from "./stored.ts";

/** What is asked, by token ids. */
export interface PlainQuestion {
  readonly ids: readonly number[];
  readonly mode: Mode;
  readonly offset: number;
  readonly limit: number;
  /** The version's own where absent. */
  readonly fusion?: FusionRule | undefined;
  readonly weight?: number | undefined;
}

/** A hit as numbers. */
export interface PlainHit {
  readonly id: string;
  readonly score: number;
  readonly dense: number;
  readonly sparse: number;
  /** The best chunk's place in its document's text. */
  readonly start: number;
  readonly end: number;
}

/** An answer as numbers. */
export interface PlainAnswer {
  readonly hits: readonly PlainHit[];
  readonly total: number;
}

/** Documents that each side proposes, and that a reader below the first 200 places has proposed. */
const NEAR = { dense: 400, sparse: 200 } as const;
const FAR = { dense: 2000, sparse: 1000 } as const;
/** Documents that paging can reach. */
const WINDOW = 1000;

interface Scored extends PlainHit {
  /** UTF-8 of the id, by which ties are decided. */
  readonly key: Buffer;
  /** What the first pass says: the greatest estimate of its chunks. */
  readonly estimate: number;
  /** Sum of query weight x impact in stored units. */
  readonly sum: number;
}

/** The answer of a version, without the shards of these ordinals. Cost: all numbers of the version. */
export function plainAnswer(
  { shards, table, impactScale, manifest }: StoredVersion,
  question: PlainQuestion,
  missing: ReadonlySet<number> = new Set(),
): PlainAnswer {
  const { ids, mode, offset, limit, fusion = manifest.fusion.rule } = question;
  const weight = question.weight ?? manifest.fusion.weight;
  const query = embed(table, ids);
  const score = scorer(query, table.weights, ids, 1 / (table.weightScale * impactScale));
  const all = shards.flatMap((records, ordinal) => (missing.has(ordinal) ? [] : records.map(score)));
  const matching = all.filter(({ sum }) => sum > 0);
  const proposed = (pool: { readonly dense: number; readonly sparse: number }): ReadonlySet<Scored> => {
    const fromDense = query === null ? [] : best(all, "estimate", pool.dense);
    const fromSparse = best(matching, "sum", pool.sparse);
    if (mode === "dense") return new Set(fromDense);
    if (mode === "sparse") return new Set(fromSparse);
    return new Set([...fromDense, ...fromSparse]);
  };
  const nearSet = proposed(NEAR);
  const farSet = offset + limit > NEAR.sparse ? proposed(FAR) : nearSet;
  const near = [...nearSet];
  const far = [...farSet].filter((each) => !nearSet.has(each));
  const dense = normal(near, "dense", fusion);
  const sparse = normal(near, "sparse", fusion);
  const ranked = (hits: readonly Scored[]) =>
    hits
      .map((hit) => ({
        ...hit,
        score: mode === "hybrid" ? weight * dense(hit) + (1 - weight) * sparse(hit) : hit[mode],
      }))
      .sort((a, b) => b.score - a.score || Buffer.compare(a.key, b.key));
  const hits = [...ranked(near), ...ranked(far)].slice(offset, offset + limit);
  const reachable =
    mode === "sparse" || query === null ? (mode === "dense" ? 0 : matching.length) : all.length;
  return {
    hits: hits.map(({ id, score: fused, dense: d, sparse: s, start, end }) => ({
      ...{ id, score: fused, dense: d, sparse: s, start, end },
    })),
    total: Math.min(reachable, WINDOW),
  };
}

/** The sum of the rows of tokens and pairs, each product and sum rounded to float32; null where it is zero. */
function embed(table: StoredVersion["table"], ids: readonly number[]): Float32Array | null {
  const sum = new Float32Array(table.padded);
  const add = (row: Float32Array | undefined) => {
    for (let j = 0; row !== undefined && j < sum.length; j++) sum[j]! += row[j]!;
  };
  ids.forEach((id, at) => {
    add(table.row(id));
    if (at > 0) add(table.pair(ids[at - 1]!, id));
  });
  return sum.some((value) => value !== 0) ? sum : null;
}

function scorer(
  query: Float32Array | null,
  weights: Uint16Array,
  ids: readonly number[],
  sparseUnit: number,
): (record: StoredRecord) => Scored {
  const greatest = query === null ? 1 : query.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // Twelve bits for the score, four for the first pass.
  const perValue = 2047 / greatest;
  const fine = Array.from(query ?? [], (value) => Math.round(value * perValue));
  const coarse = Array.from(query ?? [], (value) => Math.round(value * (7 / greatest)));
  const total = coarse.reduce((sum, value) => sum + value, 0);
  const norm = Math.sqrt(Array.from(query ?? []).reduce((sum, value) => sum + value * value, 0));
  const unit = 1 / (perValue * norm);
  return ({ id, chunks, impacts }) => {
    let estimate = Number.NEGATIVE_INFINITY;
    let dense = query === null ? 0 : Number.NEGATIVE_INFINITY;
    let best = chunks[0]!;
    for (const chunk of query === null ? [] : chunks) {
      let inside = 0;
      let dot = 0;
      for (let j = 0; j < fine.length; j++) {
        inside += coarse[j]! * chunk.positive[j]!;
        dot += fine[j]! * chunk.vector[j]!;
      }
      estimate = Math.max(estimate, Math.fround(Math.fround(2 * inside - total) * chunk.factor));
      const score = dot * (chunk.scale * unit);
      if (score > dense) {
        dense = score;
        best = chunk;
      }
    }
    let sum = 0;
    for (const token of ids) sum += (weights[token] ?? 0) * (impacts.get(token) ?? 0);
    const { start, end } = best;
    return { id, key: Buffer.from(id), estimate, dense, sum, sparse: sum * sparseUnit, score: 0, start, end };
  };
}

/** The best by a number, the smaller id on a tie. */
function best(scored: readonly Scored[], by: "estimate" | "sum", wanted: number): readonly Scored[] {
  return [...scored].sort((a, b) => b[by] - a[by] || Buffer.compare(a.key, b.key)).slice(0, wanted);
}

/** A side's score after the rule, by the near candidates alone: `shared/engine/fuse.ts` has the formulas. */
function normal(
  near: readonly Scored[],
  side: "dense" | "sparse",
  rule: FusionRule,
): (hit: Scored) => number {
  // Ascending: sums are rounded, and their bits depend on the order.
  const values = near.map((hit) => hit[side]).sort((a, b) => a - b);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (rule === "rrf") {
    return (hit) => {
      if (side === "sparse" && hit.sparse === 0) return 0;
      return 61 / (61 + values.filter((value) => value > hit[side]).length);
    };
  }
  if (!(high > low)) return () => 0;
  if (rule === "minmax") return (hit) => (hit[side] - low) / (high - low);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return (hit) => Math.max(0, Math.min(1, (hit[side] - (mean - 3 * deviation)) / (6 * deviation)));
}
