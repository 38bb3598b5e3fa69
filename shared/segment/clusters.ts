/** Which cluster a chunk belongs to: the same wherever a shard is made, since it is found from what a shard stores. */
import type { ClustersFile } from "../format/clusters.ts";
import type { CodeOrder } from "../format/shard.ts";
import type { Sha256 } from "../hash.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";

/** Puts chunks into the clusters of one file. */
export interface Assigner {
  /** Digest of the clusters file, and how many clusters it has. */
  readonly sha256: Sha256;
  readonly count: number;
  /** The cluster of each of these vectors of `padded` int8 numbers. Cost: a product with every centroid, some 10 us for 600. */
  assign(vectors: Int8Array, count: number): Uint16Array<ArrayBuffer>;
  /** The same as an order of codes: cluster by cluster, ascending within each. */
  order(vectors: Int8Array, count: number): CodeOrder;
}

/** Centroids in kernel memory, with space for a vector to compare them with. */
export interface PlacedCentroids {
  readonly kernels: Kernels;
  readonly count: number;
  readonly padded: number;
  readonly centroids: Pointer;
  /** A row number for each centroid, in order. */
  readonly rows: Pointer;
  readonly query: Pointer;
  readonly dots: Pointer;
  /** Space for as many numbers of centroids as there are. */
  readonly found: Pointer;
  readonly scales: Float32Array;
}

/** Copies centroids into kernel memory. Takes `padded` + 12 bytes of it for each. */
export function placeCentroids(
  kernels: Kernels,
  {
    meta: { clusters: count, padded },
    centroids,
    scales,
  }: Pick<ClustersFile, "centroids" | "scales"> & {
    readonly meta: Pick<ClustersFile["meta"], "clusters" | "padded">;
  },
): PlacedCentroids {
  const at = kernels.allocate(count * padded);
  const rows = kernels.allocate(4 * count);
  const dots = kernels.allocate(4 * count);
  const found = kernels.allocate(4 * count);
  const query = kernels.allocate(2 * padded);
  kernels
    .bytes(at, count * padded)
    .set(new Uint8Array(centroids.buffer, centroids.byteOffset, count * padded));
  kernels.ints(rows, count).forEach((_, row, all) => {
    all[row] = row;
  });
  return { kernels, count, padded, centroids: at, rows, query, dots, found, scales: scales.slice() };
}

/** Assigns to these clusters, in `kernels`' memory. */
export function createAssigner(kernels: Kernels, file: ClustersFile, sha256: Sha256): Assigner {
  const placed = placeCentroids(kernels, file);
  const assign = (vectors: Int8Array, count: number) => {
    const own = new Uint16Array(count);
    for (let at = 0; at < count; at++)
      own[at] = nearest(placed, vectors.subarray(at * placed.padded, (at + 1) * placed.padded));
    return own;
  };
  return {
    sha256,
    count: placed.count,
    assign,
    order(vectors, count) {
      return orderOf(assign(vectors, count), placed.count);
    },
  };
}

/** The order of codes whose chunks have these clusters. */
export function orderOf(own: Uint16Array, clusters: number): CodeOrder {
  const starts = new Uint32Array(clusters + 1);
  for (const cluster of own) starts[cluster + 1]!++;
  for (let cluster = 0; cluster < clusters; cluster++) starts[cluster + 1]! += starts[cluster]!;
  const next = starts.slice();
  const chunks = new Uint16Array(own.length);
  own.forEach((cluster, chunk) => {
    chunks[next[cluster]!++] = chunk;
  });
  return { starts, chunks };
}

/** The centroid with the greatest product with an int8 vector, the first of equals. */
export function nearest(placed: PlacedCentroids, vector: Int8Array): number {
  const { kernels, count, padded, scales } = placed;
  kernels.shorts(placed.query, padded).set(vector);
  kernels.dotRows(placed.centroids, placed.rows, count, padded, placed.query, placed.dots);
  const dots = kernels.ints(placed.dots, count);
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < count; row++) {
    const score = Math.fround(dots[row]! * scales[row]!);
    if (score > most) {
      best = row;
      most = score;
    }
  }
  return best;
}
