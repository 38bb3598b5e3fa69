/** The clusters of an index in memory, and those of them that a query looks into. */
import type { ClustersFile, ClustersMeta } from "../format/clusters.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { type PlacedCentroids, placeCentroids } from "../segment/clusters.ts";
import type { DenseQuery, EncodedQuery } from "./encoded-query.ts";

/** Clusters in kernel memory of their own. */
export interface ResidentClusters {
  readonly meta: ClustersMeta;
  readonly placed: PlacedCentroids;
  /** Bytes that they hold. */
  readonly residentBytes: number;
}

/** Copies clusters to where they stay. */
export function residentClusters(file: ClustersFile, kernels: Kernels): ResidentClusters {
  const placed = placeCentroids(kernels, file);
  return { meta: file.meta, placed, residentBytes: kernels.residentBytes + file.scales.byteLength };
}

/** A query that knows which clusters to look into; as it is where there are none. */
export function withProbes(query: EncodedQuery, clusters: ResidentClusters | null): EncodedQuery {
  if (clusters === null || query.dense === null) return query;
  return { ...query, dense: { ...query.dense, clusters: probe(clusters, query.dense) } };
}

/**
 * The clusters with the greatest products, as many as the index probes. Those in the upper half of their range come
 * first: their codes tell early how good a document must be. Cost: a product with every centroid.
 */
export function probe(
  { placed, meta }: ResidentClusters,
  { values }: Pick<DenseQuery, "values">,
  probes: number = meta.probes,
): Uint32Array<ArrayBuffer> {
  const { kernels, count, padded, scales } = placed;
  kernels.shorts(placed.query, padded).set(values);
  kernels.dotRows(placed.centroids, placed.rows, count, padded, placed.query, placed.dots);
  const dots = kernels.ints(placed.dots, count);
  const scores = kernels.floats(placed.dots, count);
  // In place: each number is read before it is written.
  for (let row = 0; row < count; row++) scores[row] = dots[row]! * scales[row]!;
  const found = kernels.topFloats(placed.dots, count, probes, placed.found);
  const rows = kernels.ints(placed.found, found);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < found; at++) {
    const score = scores[rows[at]!]!;
    if (score < least) least = score;
    if (score > most) most = score;
  }
  const half = (least + most) / 2;
  const chosen = new Uint32Array(found);
  let next = 0;
  for (let at = 0; at < found; at++) if (scores[rows[at]!]! >= half) chosen[next++] = rows[at]!;
  for (let at = 0; at < found; at++) if (scores[rows[at]!]! < half) chosen[next++] = rows[at]!;
  return chosen;
}
