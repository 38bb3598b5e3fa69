/** Vectors to clusters and shard files, as the indexer makes them, without the texts that an indexer needs for all else. */
import { clusterCount, sampleSize, trainClusters } from "../../indexer/fit/clusters.ts";
import { pickProbes, ranksOf, tenBest } from "../../indexer/fit/probes.ts";
import { Random } from "../../indexer/random.ts";
import { clusterKernels } from "../../indexer/stages/make-clusters.ts";
import { type ClustersFile, writeClusters } from "../../shared/format/clusters.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { writeShard } from "../../shared/format/shard.ts";
import { type Sha256, sha256 } from "../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { createAssigner } from "../../shared/segment/clusters.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { makeSegment, paddedDimension, type SegmentDocument } from "../../shared/segment/segment.ts";
import type { QueryForms } from "./queries.ts";

/** Documents of a shard. */
const SHARD = 50_000;
const SEED = 20_262;
const VOCABULARY = 30_522;

/** The unit vector of a document by its number. Called more than once for the same. */
export type VectorOf = (row: number) => Float32Array;

/** What making clusters needs beside the vectors. */
export interface ClusterFacts {
  readonly encoder: Sha256;
  readonly dimension: number;
  /** Digest of the table; of nothing where there is none. */
  readonly table?: Sha256;
  /** Queries that the number of clusters to look into is chosen on. */
  readonly queries: readonly QueryForms[];
}

/** The clusters of so many vectors: `makeClusters` of the indexer, but for where vectors and queries come from. */
export async function clustersOf(
  count: number,
  vectorOf: VectorOf,
  { encoder, dimension, table, queries }: ClusterFacts,
): Promise<ClustersFile> {
  const padded = paddedDimension(dimension);
  const random = new Random(SEED);
  const clusters = Math.min(clusterCount(count, FORMAT_LIMITS.clusters), count);
  const drawn = random.permutation(count).subarray(0, sampleSize(clusters));
  const sample = new Float32Array(drawn.length * dimension);
  drawn.forEach((row, at) => {
    sample.set(vectorOf(row), at * dimension);
  });
  const size = { dimension, padded, clusters };
  const trained = trainClusters(sample, size, await clusterKernels(), random);
  const held = queries.flatMap(({ encoded: { dense } }) =>
    dense === null ? [] : [{ values: dense.values, document: -1 }],
  );
  const numbers = {
    documents: Array.from({ length: count }, (_, row) => ({ firstChunk: row, passages: [0] })),
    padded,
    compressed: (row: number) => compressVector(vectorOf(row), padded),
  };
  const best = tenBest(held, numbers, await clusterKernels());
  const ranks = ranksOf(held, best, { ...numbers, trained, clusters }, await clusterKernels());
  const meta = { encoder, table: table ?? (await sha256("")), ...size, queries: held.length };
  return { meta: { ...meta, ...pickProbes(ranks, clusters) }, ...trained };
}

/** Clusters and shards that hold vectors and ids and nothing else. */
export async function makeShardFiles(
  ids: readonly string[],
  vectorOf: VectorOf,
  facts: ClusterFacts,
): Promise<readonly WrittenFile[]> {
  const clusters = await clustersOf(ids.length, vectorOf, facts);
  const clustersFile = await writeClusters(clusters);
  const assigner = createAssigner(await clusterKernels(), clusters, clustersFile.sha256);
  const padded = paddedDimension(facts.dimension);
  const files = [clustersFile];
  const { encoder, table, dimension } = clusters.meta;
  const meta = {
    encoder,
    table,
    tokenizer: table,
    dimension,
    vocabulary: VOCABULARY,
    impact_scale: 1,
    mix: 0,
  };
  for (let first = 0; first < ids.length; first += SHARD) {
    const documents = ids.slice(first, first + SHARD).map(
      (id, at): SegmentDocument => ({
        id,
        passages: [{ start: 0, end: 1 }],
        place: { block: 0, index: at },
        impacts: { ids: new Uint32Array(0), values: new Uint8Array(0) },
        chunks: [compressVector(vectorOf(first + at) as Float32Array<ArrayBuffer>, padded)],
      }),
    );
    files.push(await writeShard(makeSegment(documents, meta, assigner)));
  }
  return files;
}
