/** The clusters file: the directions that an index's chunks gather around, and how many of them a query looks into. docs/format.md section 16. */

import type { Sha256 } from "../hash.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { bytesOf, checkScales, float32s, int8s, invalid } from "./bytes.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import { digest, integer, number, object } from "./shape.ts";

/** What a clusters file says about itself. */
export interface ClustersMeta {
  /** Digest of the document encoder's files. */
  readonly encoder: Sha256;
  /** Digest of the table file whose vectors the clusters were made of. */
  readonly table: Sha256;
  readonly dimension: number;
  /** Numbers of a centroid, as in the table. */
  readonly padded: number;
  readonly clusters: number;
  /** Clusters that a query looks into: those whose centroids are nearest to it, ties to the lower number. */
  readonly probes: number;
  /** Share of the exact ten best documents that lay in these clusters, over held-out queries; how many queries these were, 0 where there were too few. */
  readonly recall: number;
  readonly queries: number;
}

/** Clusters, as they are written and read. C clusters, P padded numbers. */
export interface ClustersFile {
  readonly meta: ClustersMeta;
  /** C x P numbers of rotated unit vectors, each divided by its scale; zeros past the dimension. */
  readonly centroids: Int8Array<ArrayBuffer>;
  /** Scale of each centroid: number = int8 x scale. */
  readonly scales: Float32Array<ArrayBuffer>;
}

const checkMeta = object<ClustersMeta>({
  encoder: digest,
  table: digest,
  dimension: integer(1, FORMAT_LIMITS.dimension),
  padded: integer(128, FORMAT_LIMITS.dimension),
  clusters: integer(1, FORMAT_LIMITS.clusters),
  probes: integer(1, FORMAT_LIMITS.clusters),
  recall: number(0, 1),
  queries: integer(0, 0xffffffff),
});

/** Clusters as a file. Throws `format/invalid` for what `readClusters` would refuse. */
export async function writeClusters(clusters: ClustersFile): Promise<WrittenFile> {
  readClustersMeta(clusters.meta);
  checkClusters(clusters);
  return writeEnvelope("clusters", { ...clusters.meta }, [
    { name: "centroids", bytes: bytesOf(clusters.centroids) },
    { name: "scales", bytes: bytesOf(clusters.scales) },
  ]);
}

/** The clusters of an open file: views of its bytes. Throws `format/invalid` where a rule of section 16 is broken. */
export function readClusters(envelope: Envelope): ClustersFile {
  const meta = readClustersMeta(envelope.meta);
  const { clusters, padded } = meta;
  const file = {
    meta,
    centroids: int8s(envelope.section("centroids"), clusters * padded, "clusters section centroids"),
    scales: float32s(envelope.section("scales"), clusters, "clusters section scales"),
  };
  checkClusters(file);
  return file;
}

/** The checked meta of a clusters file. */
function readClustersMeta(value: unknown): ClustersMeta {
  const meta = checkMeta(value, "clusters");
  if (meta.padded % 128 !== 0 || meta.padded < meta.dimension) {
    throw invalid(`clusters.padded must be a multiple of 128 not below the dimension, not ${meta.padded}.`);
  }
  if (meta.probes > meta.clusters) throw invalid("clusters.probes is greater than clusters.clusters.");
  return meta;
}

function checkClusters({ meta, centroids, scales }: ClustersFile): void {
  const { clusters, dimension, padded } = meta;
  if (centroids.length !== clusters * padded || scales.length !== clusters) {
    throw invalid(
      `clusters holds ${centroids.length} numbers and ${scales.length} scales, not ${clusters} centroids.`,
    );
  }
  checkScales(scales, "clusters section scales", "refused");
  for (let cluster = 0; cluster < clusters; cluster++) {
    const own = centroids.subarray(cluster * padded, (cluster + 1) * padded);
    if (own.subarray(dimension).some((value) => value !== 0))
      throw invalid(`clusters section centroids: number ${cluster} goes on past the dimension.`);
  }
}
