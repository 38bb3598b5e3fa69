import { describe, expect, it } from "vitest";
import { clusterCount, trainClusters } from "../../../indexer/fit/clusters.ts";
import { pickProbes, ranksOf, TARGET_RECALL, tenBest } from "../../../indexer/fit/probes.ts";
import { Random } from "../../../indexer/random.ts";
import { clusterKernels } from "../../../indexer/stages/make-clusters.ts";
import { nearest, placeCentroids } from "../../../shared/segment/clusters.ts";
import { compressVector } from "../../../shared/segment/compress-vector.ts";

const DIMENSION = 100;
const size = (clusters: number) => ({ dimension: DIMENSION, padded: 128, clusters });

/** Unit vectors around `directions` random ones, in turn. */
function vectorsAround(directions: number, count: number, spread: number, seed: number): Float32Array {
  const random = new Random(seed);
  const draw = () => random.bits() / 2 ** 31 - 1;
  const centres = Array.from({ length: directions }, () => Array.from({ length: DIMENSION }, draw));
  const all = new Float32Array(count * DIMENSION);
  for (let at = 0; at < count; at++) {
    const vector = centres[at % directions]!.map((value) => value + spread * draw());
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    all.set(
      vector.map((value) => value / norm),
      at * DIMENSION,
    );
  }
  return all;
}

const vectorAt = (all: Float32Array, at: number) => all.subarray(at * DIMENSION, (at + 1) * DIMENSION);

describe("clusters", () => {
  it("are the same bytes for the same vectors and seed", async () => {
    const sample = vectorsAround(6, 300, 1, 1);
    const train = async (seed: number) =>
      trainClusters(sample, size(12), await clusterKernels(), new Random(seed));
    expect(await train(7)).toEqual(await train(7));
    expect(await train(7)).not.toEqual(await train(8));
  });

  it("gather what lies around one direction", async () => {
    const sample = vectorsAround(5, 400, 0.3, 2);
    const trained = trainClusters(sample, size(15), await clusterKernels(), new Random(1));
    const placed = placeCentroids(await clusterKernels(), { meta: size(15), ...trained });
    const directions = new Map<number, Set<number>>();
    for (let at = 0; at < 400; at++) {
      const cluster = nearest(placed, compressVector(vectorAt(sample, at), 128).values);
      directions.set(cluster, (directions.get(cluster) ?? new Set()).add(at % 5));
    }
    expect(directions.size).toBeGreaterThanOrEqual(5);
    for (const own of directions.values()) expect(own.size).toBe(1);
  });

  it("are as many as wanted even where the vectors are all alike, or zero", async () => {
    const alike = vectorsAround(1, 40, 0, 3);
    for (const sample of [alike, new Float32Array(40 * DIMENSION)]) {
      const { centroids, scales } = trainClusters(sample, size(8), await clusterKernels(), new Random(1));
      expect(centroids).toHaveLength(8 * 128);
      expect(scales.every((scale) => scale > 0)).toBe(true);
    }
  });

  it("number the square root of the chunks, up to a limit", () => {
    expect([20_000, 100_000, 1_000_000, 100_000_000].map((chunks) => clusterCount(chunks, 4096))).toEqual([
      141, 316, 1000, 4096,
    ]);
  });
});

describe("the number of clusters that a query looks into", () => {
  const sample = vectorsAround(40, 900, 2, 4);
  const compressed = (chunk: number) => compressVector(vectorAt(sample, chunk), 128);
  // Documents of one to three chunks.
  const documents = Array.from({ length: 450 }, (_, at) => ({
    firstChunk: 2 * at,
    passages: { length: 2 },
  }));
  const queries = Array.from({ length: 60 }, (_, at) => {
    const values = new Int16Array(128);
    vectorAt(vectorsAround(40, 60, 3, 5), at).forEach((value, j) => {
      values[j] = Math.round(value * 2000);
    });
    return { values, document: at };
  });
  const corpus = { documents, padded: 128, compressed };

  /** The ten best of all documents but a query's own by plain loops: chunks. */
  function plainly(values: Int16Array, own: number): number[] {
    const chunks = documents.map(({ firstChunk }) => {
      const scores = [0, 1].map((i) => {
        const vector = compressed(firstChunk + i);
        return vector.values.reduce((sum, value, j) => sum + value * values[j]!, 0) * vector.scale;
      });
      return { chunk: firstChunk + (scores[1]! > scores[0]! ? 1 : 0), score: Math.max(...scores) };
    });
    const others = chunks.filter((_, document) => document !== own);
    return others
      .sort((a, b) => b.score - a.score)
      .slice(0, 10)
      .map(({ chunk }) => chunk);
  }

  it("is counted on the exact ten best documents of each query", async () => {
    const best = tenBest(queries, corpus, await clusterKernels());
    queries.forEach(({ values, document }, at) => {
      expect(best[at]!.map(({ chunk }) => chunk)).toEqual(plainly(values, document));
    });
  });

  it("is the least that holds the share it says", async () => {
    const trained = trainClusters(sample, size(30), await clusterKernels(), new Random(2));
    const best = tenBest(queries, corpus, await clusterKernels());
    const ranks = ranksOf(queries, best, { ...corpus, trained, clusters: 30 }, await clusterKernels());
    expect(ranks).toHaveLength(600);
    const { probes, recall } = pickProbes(ranks, 30);
    const share = (count: number) => ranks.filter((rank) => rank < count).length / ranks.length;
    expect(recall).toBeCloseTo(share(probes), 12);
    expect(recall).toBeGreaterThanOrEqual(TARGET_RECALL);
    expect(share(probes - 1)).toBeLessThan(TARGET_RECALL);
    expect(probes).toBeLessThan(30);
  });

  it("is all of them where nothing was measured", () => {
    expect(pickProbes([], 30)).toEqual({ probes: 30, recall: 1 });
  });
});
