/**
 * The shards of one version side by side: which documents of each are dead, and where the live
 * ones stand in the order of ids over all shards, by which ties go. A shard does not know its
 * neighbours, so one that is loaded can be part of several versions.
 */
import { LightedgeError } from "../errors.ts";
import { compareIdsAt } from "../format/ids.ts";
import type { ResidentShard } from "./resident.ts";

/** A loaded shard as a part of a version. */
export interface LiveShard extends ResidentShard {
  /** Numbers of its dead documents, ascending: a later shard has them anew, or they are gone. */
  readonly dead: Uint16Array;
  /** Numbers in the order of ids over all shards: `first + document` where shards follow each other, else by document. */
  readonly first: number;
  readonly ranks: ArrayLike<number> | null;
}

const NONE = new Uint16Array(0);

/**
 * Shards with their places in the version. `dead` has a list for each shard, none for shards it does
 * not reach. Throws `format/invalid` for a number that is none of its shard's. Cost: nothing but a look at each
 * shard's ends where they follow each other, else one comparison of ids per document and shard, and 4 bytes a document.
 */
export function liveShards(
  shards: readonly ResidentShard[],
  dead: readonly Uint16Array[] = [],
): readonly LiveShard[] {
  const ranks = follow(shards) ? null : mergedRanks(shards);
  let first = 0;
  return shards.map((shard, at) => {
    const own = dead[at] ?? NONE;
    const last = own[own.length - 1];
    if (last !== undefined && last >= shard.meta.documents) {
      throw new LightedgeError(
        "format/invalid",
        `Document ${last} of shard ${at} is said to be dead; the shard has ${shard.meta.documents}.`,
      );
    }
    const live = { ...shard, dead: own, first, ranks: ranks?.[at] ?? null };
    first += shard.meta.documents;
    return live;
  });
}

/** Documents that are not dead. */
export function liveDocuments(shards: readonly LiveShard[]): number {
  return shards.reduce((sum, { meta, dead }) => sum + meta.documents - dead.length, 0);
}

/** Where a document stands in the order of ids. Dead ones have a place too, which nobody asks for. */
export function rankOf({ first, ranks }: Pick<LiveShard, "first" | "ranks">, document: number): number {
  return ranks === null ? first + document : ranks[document]!;
}

/** Whether every shard begins above where the one before ends. */
function follow(shards: readonly ResidentShard[]): boolean {
  return shards.every((shard, at) => {
    const before = shards[at - 1];
    return before === undefined || compareIdsAt(before, before.meta.documents - 1, shard, 0) < 0;
  });
}

/** Places by shard, from one walk over all ids; a shard's own ascend. Equal ids, of which one at most lives, go by shard. */
function mergedRanks(shards: readonly ResidentShard[]): readonly Uint32Array[] {
  const ranks = shards.map(({ meta }) => new Uint32Array(meta.documents));
  const next = shards.map(() => 0);
  const total = shards.reduce((sum, { meta }) => sum + meta.documents, 0);
  for (let rank = 0; rank < total; rank++) {
    let least = -1;
    for (const [at, shard] of shards.entries()) {
      if (next[at]! >= shard.meta.documents) continue;
      if (least < 0 || compareIdsAt(shard, next[at]!, shards[least]!, next[least]!) < 0) least = at;
    }
    ranks[least]![next[least]!] = rank;
    next[least]!++;
  }
  return ranks;
}
