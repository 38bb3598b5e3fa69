/**
 * Two rankings into one.
 *
 * A candidate is a document that the embedding or the postings proposed; every candidate
 * carries both scores, so a document that one side did not propose is scored there, not
 * given that side's minimum.
 *
 * Candidates come in two tiers: the near ones, which alone set the constants of a fusion
 * rule, and the far ones, fetched only when somebody reads deep. Far candidates rank
 * behind all near ones. So a page's content does not depend on how many hits were asked for.
 *
 * Edge cases, each with a test: no candidate gives an empty ranking; one candidate, or all
 * with equal scores on a side, normalise to 0 on that side (by rank they share the first
 * place); ties go to the smaller id; a
 * side whose scores are all 0 (no query word occurs in any document) adds nothing.
 */
import type { Place } from "../format/documents.ts";
import { compareIdsAt, type PackedIds } from "../format/ids.ts";
import type { FusionRule, Mode } from "../types.ts";

/** A document with both scores, in real units. */
export interface Candidate {
  /** Ordinal of its shard, its number there, and the place of its best chunk among its own. */
  readonly shard: number;
  readonly document: number;
  readonly chunk: number;
  /** Where its record lies in the shard's documents file. */
  readonly place: Place;
  /** Its id is entry `at` of these. */
  readonly ids: PackedIds;
  readonly at: number;
  readonly dense: number;
  readonly sparse: number;
  /** Whether each side proposed it, and in which tier. */
  readonly byDense: Tier;
  readonly bySparse: Tier;
}

/** How a side proposed a document: among its nearest, only when asked for more, or not at all. */
export type Tier = "near" | "far" | "none";

/** A candidate in its place. */
export interface Ranked {
  readonly candidate: Candidate;
  readonly score: number;
  /** Each side's score after normalisation; in a mode of one side, that side's own score. */
  readonly dense: number;
  readonly sparse: number;
}

/** How to rank. `weight` is the dense side's share, 0 to 1. */
export interface RankingRule {
  readonly mode: Mode;
  readonly fusion: FusionRule;
  readonly weight: number;
}

/** The best `depth` candidates, best first. */
export function rank(candidates: readonly Candidate[], rule: RankingRule, depth: number): readonly Ranked[] {
  const near = candidates.filter((candidate) => tierOf(candidate, rule.mode) === "near");
  const far = candidates.filter((candidate) => tierOf(candidate, rule.mode) === "far");
  const score = scorer(near, rule);
  const head = best(near.map(score), depth);
  if (head.length === depth || far.length === 0) return head;
  return [...head, ...best(far.map(score), depth - head.length)];
}

/** One side ranks by its own tiers alone: what only the other side holds near would come before better ones. */
function tierOf({ byDense, bySparse }: Candidate, mode: Mode): Tier {
  switch (mode) {
    case "hybrid":
      return byDense === "near" || bySparse === "near" ? "near" : "far";
    case "dense":
      return byDense;
    case "sparse":
      return bySparse;
  }
}

function scorer(near: readonly Candidate[], rule: RankingRule): (candidate: Candidate) => Ranked {
  if (rule.mode !== "hybrid") {
    const side = rule.mode;
    return (candidate) => ({
      candidate,
      score: candidate[side],
      dense: candidate.dense,
      sparse: candidate.sparse,
    });
  }
  const dense = normaliser(near, "dense", rule.fusion);
  const sparse = normaliser(near, "sparse", rule.fusion);
  return (candidate) => {
    const fromDense = dense(candidate);
    const fromSparse = sparse(candidate);
    const score = rule.weight * fromDense + (1 - rule.weight) * fromSparse;
    return { candidate, score, dense: fromDense, sparse: fromSparse };
  };
}

type Side = "dense" | "sparse";

function normaliser(
  near: readonly Candidate[],
  side: Side,
  rule: FusionRule,
): (candidate: Candidate) => number {
  switch (rule) {
    case "minmax":
      return minMax(near, side);
    case "rrf":
      return reciprocalRank(near, side);
    case "dbsf":
      return distribution(near, side);
  }
}

/** (s - min) / (max - min) over the near candidates; far ones may fall below 0. LightRetriever, section 4.1. */
function minMax(near: readonly Candidate[], side: Side): (candidate: Candidate) => number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const candidate of near) {
    low = Math.min(low, candidate[side]);
    high = Math.max(high, candidate[side]);
  }
  const width = high - low;
  return width > 0 ? (candidate) => (candidate[side] - low) / width : () => 0;
}

/** The constant of reciprocal rank fusion: Cormack, Clarke and Buettcher 2009 chose 60. */
const RRF_CONSTANT = 60;

/**
 * 1 / (60 + rank), rank counted from 1, scaled so that the first place is 1. Candidates that
 * one side did not propose rank there by their score. A sparse score of 0 is no rank and adds 0.
 */
function reciprocalRank(near: readonly Candidate[], side: Side): (candidate: Candidate) => number {
  const scores = near.map((candidate) => candidate[side]).sort((a, b) => b - a);
  return (candidate) => {
    if (side === "sparse" && candidate.sparse <= 0) return 0;
    return (RRF_CONSTANT + 1) / (RRF_CONSTANT + 1 + countAbove(scores, candidate[side]));
  };
}

/** How many of these descending scores are greater than this one. Equal scores share a rank. */
function countAbove(descending: readonly number[], score: number): number {
  let low = 0;
  let high = descending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (descending[middle]! > score) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Distribution-based score fusion: (s - (mean - 3 sd)) / (6 sd), cut to 0 and 1. */
function distribution(near: readonly Candidate[], side: Side): (candidate: Candidate) => number {
  // In an order of their own: sums are rounded, and candidates come in another order from other shards.
  const scores = Float64Array.from(near, (candidate) => candidate[side]).sort();
  // The mean of equal numbers may miss them by a rounding, so a deviation of 0 does not tell them.
  if (scores[0] === scores.at(-1)) return () => 0;
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / scores.length);
  if (!(deviation > 0)) return () => 0;
  return (candidate) =>
    Math.max(0, Math.min(1, (candidate[side] - (mean - 3 * deviation)) / (6 * deviation)));
}

/** The best `wanted`, best first: a bounded insertion list, since a page is short and candidates are hundreds. */
function best(ranked: readonly Ranked[], wanted: number): Ranked[] {
  if (wanted * 8 > ranked.length) return [...ranked].sort(compare).slice(0, wanted);
  const kept: Ranked[] = [];
  for (const item of ranked) {
    if (kept.length === wanted && compare(kept[wanted - 1]!, item) <= 0) continue;
    let at = kept.length === wanted ? wanted - 1 : kept.length;
    while (at > 0 && compare(item, kept[at - 1]!) < 0) {
      kept[at] = kept[at - 1]!;
      at--;
    }
    kept[at] = item;
  }
  return kept;
}

/** Greater score first; the smaller id on a tie. */
function compare(a: Ranked, b: Ranked): number {
  return b.score - a.score || compareIdsAt(a.candidate.ids, a.candidate.at, b.candidate.ids, b.candidate.at);
}
