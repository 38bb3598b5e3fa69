import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { probe, residentClusters } from "../../../shared/engine/clusters.ts";
import { quantizeQuery } from "../../../shared/engine/encode-query.ts";
import type { DenseQuery, EncodedQuery } from "../../../shared/engine/encoded-query.ts";
import { FreshSlot } from "../../../shared/engine/fresh-slot.ts";
import { liveShards } from "../../../shared/engine/live-shards.ts";
import { proposeDense } from "../../../shared/engine/propose-dense.ts";
import type { ClustersFile } from "../../../shared/format/clusters.ts";
import type { ShardFile } from "../../../shared/format/shard.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { MIB } from "../../../shared/limits.ts";
import { createAssigner } from "../../../shared/segment/clusters.ts";
import { compressVector } from "../../../shared/segment/compress-vector.ts";
import { documentsOf, makeSegment, type SegmentDocument } from "../../../shared/segment/segment.ts";
import { ENCODER, noise } from "../format/samples.ts";
import { builtKernels } from "../kernels/built.ts";

const module = await builtKernels();
const wasm = () => createWasmKernels(module, 64 * MIB);
const scalar = () => createReferenceKernels(64 * MIB);
const facts = {
  ...{ encoder: ENCODER, tokenizer: ENCODER, table: ENCODER },
  ...{ dimension: 128, vocabulary: 5, impact_scale: 1, mix: 0 },
};

/** A unit vector out of bytes. Few distinct ones, so that scores tie. */
function vectorOf(seed: number): Float32Array {
  const bytes = noise(128, seed);
  const norm = Math.sqrt(bytes.reduce((sum, byte) => sum + (byte - 127.5) ** 2, 0));
  return Float32Array.from(bytes, (byte) => (byte - 127.5) / norm);
}

/** Documents with ascending ids and one to three chunks each, of `kinds` different vectors. */
function documentsWith(count: number, kinds: number, seed: number): SegmentDocument[] {
  const draws = noise(4 * count, seed);
  return Array.from({ length: count }, (_, at) => {
    const own = 1 + (draws[4 * at]! % 3);
    return {
      id: String(at).padStart(5, "0"),
      passages: Array.from({ length: own }, () => ({ start: 0, end: 1 })),
      place: { block: 0, index: at },
      impacts: { ids: new Uint32Array(0), values: new Uint8Array(0) },
      chunks: Array.from({ length: own }, (__, i) =>
        compressVector(vectorOf(1 + (draws[4 * at + 1 + i]! % kinds)), 128),
      ),
    };
  });
}

function clustersWith(count: number, probes: number): ClustersFile {
  const compressed = Array.from({ length: count }, (_, at) => compressVector(vectorOf(900 + at), 128));
  const centroids = new Int8Array(count * 128);
  compressed.forEach(({ values }, at) => {
    centroids.set(values, at * 128);
  });
  const meta = { encoder: ENCODER, table: ENCODER, dimension: 128, padded: 128, clusters: count, probes };
  return {
    meta: { ...meta, recall: 1, queries: 0 },
    centroids,
    scales: Float32Array.from(compressed, ({ scale }) => scale),
  };
}

const asQuery = (dense: DenseQuery): EncodedQuery => ({
  dense,
  sparse: { terms: [], weights: [], scale: 1 },
});

/** The same by plain loops over the file: every estimate of every chunk of these clusters, then a sort. */
function plainly(
  file: ShardFile,
  { clusters, values, planeSum }: DenseQuery,
  dead: Uint16Array,
  wanted: number,
) {
  const coarse = coarseOf(values);
  expect(coarse.reduce((sum, value) => sum + value, 0)).toBe(planeSum);
  const { meta, owners, order } = file;
  const documentOf = (chunk: number) => owners.findIndex((_, at) => chunk < owners[at + 1]!);
  const best = new Map<number, number>();
  for (let code = 0; code < meta.chunks; code++) {
    const cluster = order?.starts.findIndex((_, at) => code < order.starts[at + 1]!);
    if (cluster !== undefined && clusters !== null && !clusters.includes(cluster)) continue;
    const document = documentOf(order?.chunks[code] ?? code);
    if (dead.includes(document)) continue;
    const bits = file.codes.subarray(code * 16, code * 16 + 16);
    const inside = coarse.reduce((sum, value, j) => sum + ((bits[j >> 3]! >> (j & 7)) & 1) * value, 0);
    const estimate = Math.fround((2 * inside - planeSum) * file.factors[code]!);
    best.set(document, Math.max(estimate, best.get(document) ?? Number.NEGATIVE_INFINITY));
  }
  const found = [...best].sort(([a, one], [b, other]) => other - one || a - b).slice(0, wanted);
  found.sort(([a], [b]) => a - b);
  return {
    documents: Uint32Array.from(found, ([document]) => document),
    scores: Float32Array.from(found, ([, score]) => score),
  };
}

/** The 4-bit values of a query whose greatest value is the greatest of its 12-bit ones. */
function coarseOf(values: Int16Array): number[] {
  const original = Array.from(values, (value) => value / 2047);
  const greatest = original.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return original.map((value) => Math.round((value / greatest) * 7));
}

/** A query whose 12-bit values are whole multiples of 2047 / 7, so that its 4-bit values can be told from them. */
function queryOf(seed: number): DenseQuery {
  const levels = Float32Array.from(noise(128, seed), (byte) => (byte % 15) - 7);
  levels[0] = 7;
  return quantizeQuery(levels)!;
}

const cases = fc.record({
  documents: fc.constantFrom(1, 2, 15, 16, 17, 60, 200),
  kinds: fc.constantFrom(1, 3, 40, 250),
  clusters: fc.constantFrom(1, 2, 7, 30),
  probes: fc.integer({ min: 1, max: 30 }),
  wanted: fc.constantFrom(0, 1, 3, 10, 400),
  dead: fc.uniqueArray(fc.nat(199), { maxLength: 8 }),
  seed: fc.integer({ min: 1, max: 10_000 }),
});

describe("the dense side's proposals", () => {
  it("are those of plain loops over the codes of the query's clusters, on both kernels", () => {
    fc.assert(
      fc.property(cases, ({ documents, kinds, clusters, probes, wanted, dead, seed }) => {
        const file = clustersWith(clusters, Math.min(probes, clusters));
        const segment = makeSegment(
          documentsWith(documents, kinds, seed),
          facts,
          createAssigner(wasm(), file, ENCODER),
        );
        const query = queryOf(seed + 1);
        const chosen = { ...query, clusters: probe(residentClusters(file, wasm()), query) };
        const gone = Uint16Array.from(dead.filter((at) => at < documents)).sort();
        for (const dense of [chosen, query]) {
          const expected = plainly(segment, dense, gone, wanted);
          for (const kernels of [wasm, scalar]) {
            const [shard] = liveShards([new FreshSlot(kernels).place(segment)], [gone]);
            expect(proposeDense(shard!, asQuery(dense), wanted)).toEqual(expected);
            // Not below a bound that another shard has set.
            const bound = expected.scores[expected.scores.length >> 1];
            if (bound !== undefined) {
              const [documents, scores] = [expected.documents, expected.scores];
              expect(proposeDense(shard!, asQuery(dense), wanted, bound)).toEqual({
                documents: documents.filter((_, at) => scores[at]! >= bound),
                scores: scores.filter((score) => score >= bound),
              });
            }
            // What a query leaves behind is nothing to the next.
            expect(proposeDense(shard!, asQuery(dense), wanted)).toEqual(expected);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("are the best of all there are, over many batches and however few are wanted", () => {
    const documents = documentsWith(5000, 250, 21);
    const ordered = makeSegment(documents, facts, createAssigner(wasm(), clustersWith(40, 40), ENCODER));
    for (const segment of [makeSegment(documents, facts), ordered]) {
      const gone = Uint16Array.from({ length: 400 }, (_, at) => 12 * at);
      const [shard] = liveShards([new FreshSlot(wasm).place(segment)], [gone]);
      for (let seed = 1; seed < 12; seed++) {
        const query = asQuery(queryOf(seed));
        // With as many wanted as there are, nothing is passed over.
        const all = proposeDense(shard!, query, 5000);
        expect(all.documents).toHaveLength(4600);
        const order = [...all.documents.keys()].sort(
          (a, b) => all.scores[b]! - all.scores[a]! || all.documents[a]! - all.documents[b]!,
        );
        for (const wanted of [1, 2, 7, 100, 400]) {
          const best = order.slice(0, wanted).sort((a, b) => a - b);
          const found = proposeDense(shard!, query, wanted);
          expect([...found.documents]).toEqual(best.map((at) => all.documents[at]));
          expect([...found.scores]).toEqual(best.map((at) => all.scores[at]));
        }
      }
    }
  });

  it("are the same with all clusters looked into as with none", () => {
    const documents = documentsWith(300, 200, 5);
    const file = clustersWith(12, 12);
    const plain = new FreshSlot(wasm).place(makeSegment(documents, facts));
    const ordered = new FreshSlot(wasm).place(
      makeSegment(documents, facts, createAssigner(wasm(), file, ENCODER)),
    );
    const clusters = residentClusters(file, wasm());
    for (let seed = 1; seed < 20; seed++) {
      const query = queryOf(seed);
      const all = { ...query, clusters: probe(clusters, query) };
      expect(all.clusters).toHaveLength(12);
      const [one, other] = liveShards([plain, ordered]);
      expect(proposeDense(other!, asQuery(all), 20)).toEqual(proposeDense(one!, asQuery(query), 20));
    }
  });
});

describe("a shard in the order of clusters", () => {
  it("gives back its documents, from which the same shard can be made without clusters", () => {
    const documents = documentsWith(90, 70, 3);
    const ordered = makeSegment(documents, facts, createAssigner(wasm(), clustersWith(9, 2), ENCODER));
    expect(ordered.order!.chunks).not.toEqual(Uint16Array.from(ordered.order!.chunks).sort());
    expect(documentsOf(ordered)).toEqual(documentsOf(makeSegment(documents, facts)));
    expect(makeSegment(documentsOf(ordered), facts)).toEqual(makeSegment(documents, facts));
  });

  it("has each chunk in the cluster whose centroid is nearest to what is stored of it, the first of equals", () => {
    const documents = documentsWith(60, 50, 8);
    const file = clustersWith(9, 2);
    const { order, vectors, meta } = makeSegment(documents, facts, createAssigner(wasm(), file, ENCODER));
    for (let code = 0; code < meta.chunks; code++) {
      const vector = vectors.subarray(order!.chunks[code]! * 128, (order!.chunks[code]! + 1) * 128);
      const scores = Array.from(file.scales, (scale, cluster) => {
        const centroid = file.centroids.subarray(cluster * 128, (cluster + 1) * 128);
        return Math.fround(vector.reduce((sum, value, j) => sum + value * centroid[j]!, 0) * scale);
      });
      const nearest = scores.indexOf(Math.max(...scores));
      expect(code).toBeGreaterThanOrEqual(order!.starts[nearest]!);
      expect(code).toBeLessThan(order!.starts[nearest + 1]!);
    }
  });
});

describe("the clusters that a query looks into", () => {
  it("are those with the greatest products, ties to the lower number", () => {
    const file = clustersWith(40, 11);
    // Two that are one: whichever is left out must be the later.
    file.centroids.copyWithin(128 * 30, 128 * 3, 128 * 4);
    file.scales[30] = file.scales[3]!;
    const clusters = residentClusters(file, scalar());
    for (let seed = 1; seed < 30; seed++) {
      const query = queryOf(seed);
      const scores = Array.from(file.scales, (scale, cluster) => {
        const centroid = file.centroids.subarray(cluster * 128, (cluster + 1) * 128);
        return Math.fround(query.values.reduce((sum, value, j) => sum + value * centroid[j]!, 0) * scale);
      });
      const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, 11);
      const found = [...probe(clusters, query)];
      // Some of the nearest come first, in the order of their numbers.
      const falls = found.findIndex((cluster, at) => at > 0 && cluster < found[at - 1]!);
      const first = found.slice(0, Math.max(falls, 1)).sort((a, b) => scores[b]! - scores[a]! || a - b);
      expect(first).toEqual(best.slice(0, first.length));
      expect(found.sort((a, b) => a - b)).toEqual(best.sort((a, b) => a - b));
    }
  });
});
