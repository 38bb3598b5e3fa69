import type { Candidate, RankingRule } from "../../../shared/engine/fuse.ts";
import type { LiveShard } from "../../../shared/engine/live-shards.ts";

/** Ranking never looks into a shard, so one without anything in it will do. */
const SHARD = {} as LiveShard;

/** A candidate that both sides hold near, unless the parts say otherwise; its ordinal is its id. */
export function candidate(
  ordinal: number,
  dense: number,
  sparse: number,
  parts: Partial<Candidate> = {},
): Candidate {
  const tiers = { byDense: "near", bySparse: sparse > 0 ? "near" : "none" } as const;
  return { shard: SHARD, document: ordinal, chunk: ordinal, ordinal, dense, sparse, ...tiers, ...parts };
}

/** The rule of an index that says nothing else. */
export function ruleOf(parts: Partial<RankingRule> = {}): RankingRule {
  return { mode: "hybrid", fusion: "minmax", weight: 0.5, ...parts };
}
