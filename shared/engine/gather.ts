/**
 * The candidates of all shards as one shard would have given them: what each side
 * proposes is cut again to the pool's size over the whole index, so that the ranking
 * does not depend on how many shards there are.
 */
import type { Candidate, Tier } from "./fuse.ts";
import { type LiveShard, rankOf } from "./live-shards.ts";
import { FAR_POOL, NEAR_POOL, type Pool, type Proposal, type ShardCandidates } from "./score-shard.ts";

/**
 * The index's candidates. Ties go by the order of ids, whatever shards they are in. `sparseUnit`
 * times a stored sparse sum is the sparse score.
 */
export function gather(
  shards: readonly ShardCandidates[],
  deep: boolean,
  sparseUnit: number,
): readonly Candidate[] {
  const near = proposals(shards, NEAR_POOL);
  const all = deep ? proposals(shards, FAR_POOL) : near;
  const candidates: Candidate[] = [];
  for (const [at, found] of shards.entries()) {
    const { shard, documents } = found;
    for (let i = 0; i < documents.length; i++) {
      const document = documents[i]!;
      const byDense = tier(document, near.dense[at]!, all.dense[at]!);
      const bySparse = tier(document, near.sparse[at]!, all.sparse[at]!);
      if (byDense === "none" && bySparse === "none") continue;
      candidates.push({
        shard,
        document,
        chunk: found.chunks[i]!,
        ordinal: rankOf(shard, document),
        dense: found.dense[i]!,
        sparse: found.sparse[i]! * sparseUnit,
        byDense,
        bySparse,
      });
    }
  }
  return candidates;
}

function tier(document: number, near: ReadonlySet<number>, all: ReadonlySet<number>): Tier {
  if (near.has(document)) return "near";
  return all.has(document) ? "far" : "none";
}

interface Proposals {
  /** By shard: the documents that each side proposes. */
  readonly dense: readonly ReadonlySet<number>[];
  readonly sparse: readonly ReadonlySet<number>[];
}

function proposals(shards: readonly ShardCandidates[], pool: Pool): Proposals {
  const sets = (lists: readonly Proposal[], wanted: number) =>
    cut(
      lists,
      shards.map(({ shard }) => shard),
      wanted,
    ).map((documents) => new Set(documents));
  return {
    dense: sets(
      shards.map(({ byDense }) => byDense),
      pool.dense,
    ),
    sparse: sets(
      shards.map(({ bySparse }) => bySparse),
      pool.sparse,
    ),
  };
}

/** The `wanted` best over all lists, by list; ties go to the smaller id. */
function cut(
  lists: readonly Proposal[],
  shards: readonly LiveShard[],
  wanted: number,
): readonly Uint32Array[] {
  const count = lists.reduce((sum, { documents }) => sum + documents.length, 0);
  if (count <= wanted) return lists.map(({ documents }) => documents);
  const all = new Float64Array(count);
  let at = 0;
  for (const { scores } of lists) {
    all.set(scores, at);
    at += scores.length;
  }
  const threshold = all.sort()[count - wanted]!;
  const above = all.reduce((sum, score) => sum + (score > threshold ? 1 : 0), 0);
  const ranksOf = ({ documents, scores }: Proposal, list: number) =>
    Array.from(documents).flatMap((document, i) =>
      scores[i] === threshold ? [rankOf(shards[list]!, document)] : [],
    );
  // The rank of the last tie that is let in: ranks differ, so this says it for all lists.
  const last = lists.flatMap(ranksOf).sort((a, b) => a - b)[wanted - above - 1] ?? -1;
  return lists.map(({ documents, scores }, list) =>
    documents.filter(
      (document, i) =>
        scores[i]! > threshold || (scores[i] === threshold && rankOf(shards[list]!, document) <= last),
    ),
  );
}
