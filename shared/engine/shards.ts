/** The shards of an index as a search takes them: all of them asked at once, wherever they live. */
import type { Place } from "../format/documents.ts";
import { chooseDocuments } from "./cut.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import type { Candidate } from "./fuse.ts";
import { gather } from "./gather.ts";
import type { LiveShard } from "./live-shard.ts";
import { hide, searchable } from "./live-shards.ts";
import type { ResidentShard } from "./resident.ts";
import {
  FAR_POOL,
  NEAR_POOL,
  NO_LEAST,
  type Pool,
  type Proposal,
  type SearchableShard,
  type ShardEvidence,
  type ShardProposals,
} from "./shard-contract.ts";

/** What the shards of an index find for a query. */
export interface Found {
  readonly candidates: readonly Candidate[];
  /** Documents with a sparse score above 0, and all that live; shards that did not answer are not counted. */
  readonly matches: number;
  readonly living: number;
  /** Ordinals of shards that did not answer, ascending. Their documents are missing from all the rest. */
  readonly missing: readonly number[];
  /**
   * The numbers behind the scores of some of these candidates, one for each, in their order: for the terms that were
   * named when they were looked for. Where a shard does not answer any more, what the others find without it instead, to
   * be ranked anew.
   */
  evidence(candidates: readonly Candidate[]): Evidence | Promise<Evidence>;
}

/** The numbers behind scores, or what there is without a shard that failed. */
export type Evidence = readonly ShardEvidence[] | Found;

/** What is looked for beside the query itself. */
export interface Wanted {
  /** For reading below `NEAR_POOL`. */
  readonly deep: boolean;
  /** Tokens whose impacts an explanation needs; null where none is wanted. */
  readonly terms: readonly number[] | null;
  /** Milliseconds that shards elsewhere may take for all of it; `SHARD_LIMITS.patienceMs` when absent. */
  readonly patienceMs?: number | undefined;
}

/** A document's place in an index. */
export interface Located extends Place {
  readonly shard: number;
}

/** Writes at the edge as shards take them. */
export interface ShardLayer {
  /** Ids of documents that are no longer the version's own. */
  readonly hidden: readonly string[];
  /** A shard of what was written, the last of the index then; null for none. */
  readonly fresh: ResidentShard | null;
}

/**
 * The shards of one version. What is in memory answers at once, not by a promise: between two of its answers the
 * memory of a fresh shard must not be filled anew.
 */
export interface Shards {
  /** The candidates of all shards that answer. Throws where none does. */
  find(query: EncodedQuery, wanted: Wanted): Found | Promise<Found>;
  /** Where the living document with this id is, or null. Throws `index/partial` where a shard that may hold it does not answer. */
  locate(id: string, patienceMs?: number): Located | null | Promise<Located | null>;
  /** The same shards with these writes laid over them. */
  withLayer(layer: ShardLayer): Shards;
}

/** Shards in this isolate's memory. */
export function localShards(live: readonly LiveShard[]): Shards {
  const shards = live.map(searchable);
  return {
    find(query, { deep, terms }) {
      const proposed = proposeInTurn(shards, query, deep ? FAR_POOL : NEAR_POOL);
      const chosen = chooseDocuments(proposed, deep ? FAR_POOL : NEAR_POOL);
      const scored = shards.map((shard, at) => shard.score(query, chosen[at]!));
      return {
        candidates: gather(proposed, scored, query, deep),
        ...totalsOf(proposed),
        missing: [],
        evidence: (candidates) =>
          candidates.map((candidate) => shards[candidate.shard]!.evidence([candidate], terms ?? [])),
      };
    },
    locate(id) {
      for (const [shard, each] of shards.entries()) {
        const place = each.locate(id);
        if (place !== null) return { shard, ...place };
      }
      return null;
    },
    withLayer({ hidden, fresh }) {
      const own = live.map((shard) => hide(shard, hidden));
      return localShards(fresh === null ? own : [...own, { ...fresh, dead: new Uint16Array(0) }]);
    },
  };
}

/**
 * What each shard proposes. One that has filled a side's pool by itself spares the later ones all that its last
 * document beats: the cut would leave it out anyway.
 */
export function proposeInTurn(
  shards: readonly SearchableShard[],
  query: EncodedQuery,
  pool: Pool,
): readonly ShardProposals[] {
  let { dense, sparse }: Pool = NO_LEAST;
  return shards.map((shard) => {
    const proposed = shard.propose(query, pool, { dense, sparse });
    dense = Math.max(dense, leastOf(proposed.dense.scores, pool.dense));
    sparse = Math.max(sparse, leastOf(proposed.sparse.scores, pool.sparse));
    return proposed;
  });
}

/** The least of scores that fill a pool; below all where they do not. */
function leastOf(scores: Proposal["scores"], wanted: number): number {
  if (wanted === 0 || scores.length < wanted) return Number.NEGATIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < scores.length; at++) if (scores[at]! < least) least = scores[at]!;
  return least;
}

/** The counts of shards together. */
export function totalsOf(proposed: readonly (ShardProposals | null)[]): Pick<Found, "matches" | "living"> {
  const sum = (of: (shard: ShardProposals) => number) =>
    proposed.reduce((total, shard) => total + (shard === null ? 0 : of(shard)), 0);
  return { matches: sum(({ matches }) => matches), living: sum(({ living }) => living) };
}
