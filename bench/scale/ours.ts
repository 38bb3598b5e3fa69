/** The engine's shards in this process, and a dense search over them from a vector to ids: what a vector library does. */
import { nodePorts } from "../../indexer/engine-node.ts";
import type { EnginePorts } from "../../shared/engine/api.ts";
import { probe, type ResidentClusters, residentClusters } from "../../shared/engine/clusters.ts";
import { chooseDocuments } from "../../shared/engine/cut.ts";
import { quantizeQuery } from "../../shared/engine/encode-query.ts";
import type { EncodedQuery } from "../../shared/engine/encoded-query.ts";
import { liveShards, searchable } from "../../shared/engine/live-shards.ts";
import {
  hotBytes,
  hotShardBytes,
  loadHotShard,
  loadShard,
  type ResidentShard,
  residentShardBytes,
} from "../../shared/engine/resident.ts";
import type { SearchableShard } from "../../shared/engine/shard-contract.ts";
import { proposeInTurn } from "../../shared/engine/shards.ts";
import { readClusters } from "../../shared/format/clusters.ts";
import { idAt } from "../../shared/format/ids.ts";
import { loadEnvelope, openStreamed } from "../../shared/format/load.ts";
import { blobsOf, type ShardBlob } from "../../shared/format/manifest.ts";
import { readAllButVectors, readShardMeta } from "../../shared/format/shard.ts";
import { AS_ONE } from "../../shared/format/streamed.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { Scale } from "./prepare.ts";

const SHARD_BYTES = 1 << 30;

/** An index's shards and clusters, all of them in memory. */
export interface OwnShards {
  readonly shards: readonly SearchableShard[];
  /** Null where the index has none. */
  readonly clusters: ResidentClusters | null;
  /** Bytes of the shards, all of them and without their cold sections, as a Durable Object holds them; and of the clusters. */
  readonly bytes: { readonly all: number; readonly hot: number; readonly clusters: number };
}

/** Loads them. */
export async function loadShards({ store, manifest }: Scale): Promise<OwnShards> {
  const ports = await nodePorts(store);
  const shards: ResidentShard[] = [];
  for (const blob of blobsOf(manifest, "shard"))
    shards.push(await loadShard(store, blob, ports.kernels(SHARD_BYTES)));
  const [entry] = blobsOf(manifest, "clusters");
  const clusters =
    entry === undefined
      ? null
      : residentClusters(readClusters(await loadEnvelope(store, entry)), ports.kernels(SHARD_BYTES));
  let hot = 0;
  for (const blob of blobsOf(manifest, "shard")) hot += await hotBytesOf(store, blob, ports);
  return {
    shards: liveShards(shards).map(searchable),
    clusters,
    bytes: {
      all: shards.reduce((sum, shard) => sum + residentShardBytes(shard), 0),
      hot,
      clusters: clusters?.residentBytes ?? 0,
    },
  };
}

/** Bytes of a shard loaded as a Durable Object loads it, its cold sections put aside. */
async function hotBytesOf(store: ReadStore, blob: ShardBlob, ports: EnginePorts): Promise<number> {
  const file = await openStreamed(store, blob, AS_ONE);
  const meta = readShardMeta(file.meta);
  const { shard } = await loadHotShard(meta, ports.kernels(hotBytes(meta)), async (space) =>
    readAllButVectors(
      await file.readInto((name, bytes) => (name === "vectors" ? new Uint8Array(bytes) : space(name, bytes))),
    ),
  );
  return hotShardBytes(shard);
}

/** How hard a dense search tries: clusters it looks into, and documents it scores exactly. */
export interface DenseEffort {
  readonly probes: number;
  readonly pool: number;
}

/**
 * Ids of the `wanted` best by exact int8 score among the `pool` best by estimate, best first: all that a search does
 * on the dense side but for making the vector, which has `padded` numbers.
 */
export function denseTop(
  { shards, clusters }: OwnShards,
  vector: Float32Array,
  { probes, pool }: DenseEffort,
  wanted: number,
): readonly string[] {
  const dense = quantizeQuery(vector);
  if (dense === null) return [];
  const looked = clusters === null ? null : probe(clusters, dense, probes);
  const query: EncodedQuery = {
    dense: { ...dense, clusters: looked },
    sparse: { terms: [], weights: [], scale: 1 },
  };
  const cut = { dense: pool, sparse: 0 };
  const proposed = proposeInTurn(shards, query, cut);
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
