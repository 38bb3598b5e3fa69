import type { Candidate, RankingRule } from "../../../shared/engine/fuse.ts";
import { packIds } from "../../../shared/format/ids.ts";

/** Ids of documents 0 to 9,999 in the order of their numbers. */
const IDS = packIds(Array.from({ length: 10_000 }, (_, at) => String(at).padStart(5, "0")));

/** A candidate that both sides hold near, unless the parts say otherwise; its number is its place in the order of ids. */
export function candidate(
  document: number,
  dense: number,
  sparse: number,
  parts: Partial<Candidate> = {},
): Candidate {
  const tiers = { byDense: "near", bySparse: sparse > 0 ? "near" : "none" } as const;
  const where = {
    shard: 0,
    document,
    chunk: 0,
    place: { block: 0, index: document },
    ids: IDS,
    at: document,
  };
  return { ...where, dense, sparse, ...tiers, ...parts };
}

/** The rule of an index that says nothing else. */
export function ruleOf(parts: Partial<RankingRule> = {}): RankingRule {
  return { mode: "hybrid", fusion: "minmax", weight: 0.5, ...parts };
}
