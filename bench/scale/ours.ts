/** The engine's shards in this process, and a dense search over them from a vector to ids: what a vector library does. */
import { nodePorts } from "../../indexer/engine-node.ts";
import { chooseDocuments } from "../../shared/engine/cut.ts";
import type { EncodedQuery } from "../../shared/engine/encode-query.ts";
import { liveShards, searchable } from "../../shared/engine/live-shards.ts";
import { loadShard, type ResidentShard } from "../../shared/engine/resident.ts";
import type { SearchableShard } from "../../shared/engine/shard-contract.ts";
import { idAt } from "../../shared/format/ids.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import type { Scale } from "./prepare.ts";

const SHARD_BYTES = 1 << 30;

/** Shards of the index, all of each in memory. */
export async function loadShards({ store, manifest }: Scale): Promise<readonly ResidentShard[]> {
  const ports = await nodePorts(store);
  const shards: ResidentShard[] = [];
  for (const blob of blobsOf(manifest, "shard"))
    shards.push(await loadShard(store, blob, ports.kernels(SHARD_BYTES)));
  return shards;
}

/** What these shards answer. */
export function answering(shards: readonly ResidentShard[]): readonly SearchableShard[] {
  return liveShards(shards).map(searchable);
}

/** Ids of the ten best by exact int8 score among the `pool` best by estimate, best first. The query must have no sparse terms. */
export function denseTop(
  shards: readonly SearchableShard[],
  query: EncodedQuery,
  pool: number,
  wanted: number,
): readonly string[] {
  const cut = { dense: pool, sparse: 0 };
  const proposed = shards.map((shard) => shard.propose(query, cut));
  const chosen = chooseDocuments(proposed, cut);
  const best: { shard: number; at: number; score: number }[] = [];
  const scored = shards.map((shard, at) => shard.score(query, chosen[at]!));
  scored.forEach(({ dense }, shard) => {
    for (let at = 0; at < dense.length; at++) {
      const score = dense[at]!;
      if (best.length === wanted && score <= best[wanted - 1]!.score) continue;
      let place = best.length;
      while (place > 0 && best[place - 1]!.score < score) place--;
      best.splice(place, 0, { shard, at, score });
      if (best.length > wanted) best.pop();
    }
  });
  return best.map(({ shard, at }) => idAt(scored[shard]!, at));
}

/** A query without its sparse side. */
export function denseOnly(query: EncodedQuery): EncodedQuery {
  return { ...query, sparse: { ...query.sparse, terms: [], weights: [] } };
}
