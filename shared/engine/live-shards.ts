/** Loaded shards as parts of a version: which documents of each are dead, and what it answers without them. */
import { LightedgeError } from "../errors.ts";
import { find } from "./ascending.ts";
import type { LiveShard } from "./live-shard.ts";
import { proposeDense } from "./propose-dense.ts";
import { proposeSparse } from "./propose-sparse.ts";
import type { ResidentShard } from "./resident.ts";
import { evidenceOf, scoreDocuments } from "./score-documents.ts";
import { NO_LEAST, type SearchableShard } from "./shard-contract.ts";

const NONE = new Uint16Array(0);

/**
 * Shards with their dead. `dead` has a list for each shard, none for shards it does not reach. Throws
 * `format/invalid` for a number that is none of its shard's.
 */
export function liveShards(
  shards: readonly ResidentShard[],
  dead: readonly Uint16Array<ArrayBuffer>[] = [],
): readonly LiveShard[] {
  return shards.map((shard, at) => {
    const own = dead[at] ?? NONE;
    const last = own[own.length - 1];
    if (last === undefined || last < shard.meta.documents) return { ...shard, dead: own };
    const message = `Document ${last} of shard ${at} is said to be dead; the shard has ${shard.meta.documents}.`;
    throw new LightedgeError("format/invalid", message);
  });
}

/** A shard without the documents of these ids; itself where it has none of them. */
export function hide(shard: LiveShard, ids: readonly string[]): LiveShard {
  return without(shard, numbersOf(shard, ids));
}

/** Numbers of the documents with these ids that a shard has, ascending. */
export function numbersOf(
  { cold }: Pick<ResidentShard, "cold">,
  ids: readonly string[],
): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(ids.map((id) => cold.find(id)).filter((document) => document >= 0)).sort();
}

/** A shard without the documents with these numbers; itself where there are none. */
export function without(shard: LiveShard, documents: Uint16Array): LiveShard {
  if (documents.length === 0) return shard;
  return { ...shard, dead: Uint16Array.from(new Set([...shard.dead, ...documents])).sort() };
}

/** What a loaded shard answers. Cheap; the shard's work space is used by each call and by nobody else meanwhile. */
export function searchable(shard: LiveShard): SearchableShard {
  const { meta, dead, cold } = shard;
  return {
    propose(query, pool, least = NO_LEAST) {
      // Sparse first: what either side leaves in the work space is copied out before the other begins.
      const { proposal, matches } = proposeSparse(shard, query, pool.sparse, least.sparse);
      return {
        dense: proposeDense(shard, query, pool.dense, least.dense),
        sparse: proposal,
        matches,
        living: meta.documents - dead.length,
        impactScale: meta.impact_scale,
      };
    },
    score: (query, documents) => scoreDocuments(shard, query, documents),
    evidence: (chunks, terms) => evidenceOf(shard, chunks, terms),
    locate(id) {
      const at = shard.cold.find(id);
      if (at < 0 || find(dead, at) >= 0) return null;
      const [block, index] = cold.facts(Uint32Array.of(at)).places;
      return { block: block!, index: index! };
    },
  };
}
