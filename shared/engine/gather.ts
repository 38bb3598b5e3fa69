/** The scored documents of all shards as the candidates of one ranking. */
import { settle } from "./cut.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import type { Candidate, Tier } from "./fuse.ts";
import {
  FAR_POOL,
  NEAR_POOL,
  type Proposal,
  type ScoredDocuments,
  type ShardProposals,
} from "./shard-contract.ts";

/** The index's candidates. Null for a shard that did not answer, in either list: it has none. */
export function gather(
  proposed: readonly (ShardProposals | null)[],
  scored: readonly (ScoredDocuments | null)[],
  query: EncodedQuery,
  deep: boolean,
): readonly Candidate[] {
  const both = proposed.map((shard, at) => (scored[at] === null ? null : shard));
  const settled = (wanted: typeof NEAR_POOL) => ({
    dense: settle(both, scored, "dense", wanted.dense),
    sparse: settle(both, scored, "sparse", wanted.sparse),
  });
  const near = settled(NEAR_POOL);
  const all = deep ? settled(FAR_POOL) : near;
  const candidates: Candidate[] = [];
  scored.forEach((found, shard) => {
    const own = both[shard];
    if (found === null || own === null || own === undefined) return;
    const unit = 1 / (query.sparse.scale * own.impactScale);
    const dense = tiers(own.dense, near.dense[shard]!, all.dense[shard]!);
    const sparse = tiers(own.sparse, near.sparse[shard]!, all.sparse[shard]!);
    for (let at = 0; at < found.documents.length; at++) {
      const document = found.documents[at]!;
      const byDense = dense(document);
      const bySparse = sparse(document);
      if (byDense === "none" && bySparse === "none") continue;
      candidates.push({
        shard,
        document,
        chunk: found.chunks[at]!,
        place: { block: found.places[2 * at]!, index: found.places[2 * at + 1]! },
        ids: found,
        at,
        dense: found.dense[at]!,
        sparse: found.sparse[at]! * unit,
        byDense,
        bySparse,
      });
    }
  });
  return candidates;
}

/** Tells of documents, asked for in ascending order, how a side proposed them. The marks are those of `settle`. */
function tiers({ documents }: Proposal, near: Uint8Array, all: Uint8Array): (document: number) => Tier {
  let i = 0;
  return (document) => {
    while (i < documents.length && documents[i]! < document) i++;
    if (documents[i] !== document) return "none";
    if (near[i] === 1) return "near";
    return all[i] === 1 ? "far" : "none";
  };
}
