/**
 * Clusters of vectors: spherical k-means (Dhillon and Modha 2001) on a sample, with the kernels that queries use.
 * Centroids are rounded to what is stored after every round, so what is trained is what is searched with.
 */
import type { ClustersFile } from "../../shared/format/clusters.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { nearest, type PlacedCentroids, placeCentroids } from "../../shared/segment/clusters.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import type { Random } from "../random.ts";

/** Chunks from which an index has clusters. Below, a pass over all codes takes less than 0.1 ms. */
export const CLUSTERS_FROM = 20_000;
/** Vectors of the sample for each cluster, and rounds. 16 to 24 and 5 to 6 made no difference that could be told from that of another seed. */
const SAMPLE_PER_CLUSTER = 24;
const ROUNDS = 6;

/**
 * Clusters for so many chunks, `most` at most: their square root. Of twice as many a query looks into a tenth fewer
 * chunks, and loses more than that by beginning and ending twice as often (decision 0015).
 */
export function clusterCount(chunks: number, most: number): number {
  return Math.min(most, Math.round(Math.sqrt(chunks)));
}

/** Vectors that training so many clusters wants. */
export function sampleSize(clusters: number): number {
  return SAMPLE_PER_CLUSTER * clusters;
}

/** What is trained: centroids as the file holds them. */
export type Centroids = Pick<ClustersFile, "centroids" | "scales">;

/**
 * Centroids of a sample of unit vectors, `dimension` numbers each, at least one vector for each cluster. Neighbours in
 * number are near each other, so that what a query looks into makes few ranges. Cost: rounds x vectors x clusters products.
 */
export function trainClusters(
  sample: Float32Array,
  { dimension, padded, clusters }: { dimension: number; padded: number; clusters: number },
  kernels: Kernels,
  random: Random,
): Centroids {
  const count = Math.floor(sample.length / dimension);
  const vectors = new Int8Array(count * padded);
  const vectorAt = (at: number) => sample.subarray(at * dimension, (at + 1) * dimension);
  for (let at = 0; at < count; at++) vectors.set(compressVector(vectorAt(at), padded).values, at * padded);
  const order = random.permutation(count).subarray(0, clusters);
  let trained = compressAll(
    Array.from(order, (at) => vectorAt(at)),
    padded,
  );
  const placed = placeCentroids(kernels, { meta: { clusters, padded }, ...trained });
  for (let round = 0; round < ROUNDS; round++) {
    const own = Uint16Array.from({ length: count }, (_, at) =>
      nearest(placed, vectors.subarray(at * padded, (at + 1) * padded)),
    );
    trained = compressAll(means(sample, own, { dimension, clusters }, random), padded);
    place(placed, trained);
  }
  return inChain(placed, trained);
}

/** Unit means of the vectors of each cluster; of one that has none, a vector drawn from the sample. */
function means(
  sample: Float32Array,
  own: Uint16Array,
  { dimension, clusters }: { dimension: number; clusters: number },
  random: Random,
): readonly Float32Array[] {
  const sums = new Float64Array(clusters * dimension);
  const sizes = new Uint32Array(clusters);
  own.forEach((cluster, at) => {
    sizes[cluster]!++;
    const [from, to] = [at * dimension, cluster * dimension];
    for (let j = 0; j < dimension; j++) sums[to + j]! += sample[from + j]!;
  });
  return Array.from(sizes, (size, cluster) => {
    const drawn = random.below(own.length);
    if (size === 0) return sample.subarray(drawn * dimension, (drawn + 1) * dimension);
    const sum = sums.subarray(cluster * dimension, (cluster + 1) * dimension);
    const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
    return Float32Array.from(sum, (value) => (norm > 0 ? value / norm : 0));
  });
}

function compressAll(vectors: readonly Float32Array[], padded: number): Centroids {
  const centroids = new Int8Array(vectors.length * padded);
  const scales = new Float32Array(vectors.length);
  vectors.forEach((vector, at) => {
    const { values, scale } = compressVector(vector, padded);
    centroids.set(values, at * padded);
    scales[at] = scale;
  });
  return { centroids, scales };
}

function place({ kernels, centroids: at, scales }: PlacedCentroids, trained: Centroids): void {
  const { centroids } = trained;
  kernels.bytes(at, centroids.length).set(new Uint8Array(centroids.buffer, 0, centroids.length));
  scales.set(trained.scales);
}

/** Numbered anew as a chain: each is the nearest to the one before of those that are left. */
function inChain(placed: PlacedCentroids, { centroids, scales }: Centroids): Centroids {
  const { kernels, count, padded } = placed;
  const left = new Set(Array.from(scales.keys()));
  const chain: number[] = [];
  for (let last = 0; left.size > 0; ) {
    chain.push(last);
    left.delete(last);
    kernels.shorts(placed.query, padded).set(centroids.subarray(last * padded, (last + 1) * padded));
    kernels.dotRows(placed.centroids, placed.rows, count, padded, placed.query, placed.dots);
    const dots = kernels.ints(placed.dots, count);
    let most = Number.NEGATIVE_INFINITY;
    for (const row of left) {
      const score = dots[row]! * scales[row]!;
      if (score > most) {
        most = score;
        last = row;
      }
    }
  }
  const moved = { centroids: new Int8Array(centroids.length), scales: new Float32Array(scales.length) };
  chain.forEach((row, at) => {
    moved.centroids.set(centroids.subarray(row * padded, (row + 1) * padded), at * padded);
    moved.scales[at] = scales[row]!;
  });
  return moved;
}
