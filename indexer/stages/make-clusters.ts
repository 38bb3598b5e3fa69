/** Corpus and table to clusters: where chunks gather, and how many clusters a query must look into to miss next to nothing. */

import { quantizeQuery } from "../../shared/engine/encode-query.ts";
import type { ClustersFile } from "../../shared/format/clusters.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { createWasmKernels } from "../../shared/kernels/wasm.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { paddedDimension } from "../../shared/segment/segment.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { sumOfRows } from "../compress/decode-table.ts";
import { clusterCount, sampleSize, trainClusters } from "../fit/clusters.ts";
import { type HeldOutQuery, pickProbes, ranksOf, tenBest } from "../fit/probes.ts";
import { loadKernelsModule } from "../kernels-node.ts";
import type { Progress } from "../progress.ts";
import { Random } from "../random.ts";
import { drawQuestions } from "./choose-weight.ts";
import type { Collection } from "./collect.ts";
import type { Corpus } from "./encode-corpus.ts";
import { mixVectors } from "./mix.ts";
import type { BuiltTable } from "./table-source.ts";

/** What making clusters needs beside the corpus. */
export interface ClustersOptions {
  readonly encoder: Sha256;
  readonly tokenizer: Tokenizer;
  readonly table: BuiltTable;
  readonly mix: number;
  /** Chunks from which there are clusters. */
  readonly from: number;
}

/** Questions that it takes to trust what they say. */
const LEAST_QUERIES = 50;
const SEED = 20_262;
/** Memory for centroids and a block of vectors. */
const KERNEL_BYTES = 1 << 28;

/** Kernels for centroids. */
export async function clusterKernels(): Promise<Kernels> {
  return createWasmKernels(await loadKernelsModule(), KERNEL_BYTES);
}

/** The clusters of a corpus; null where it is too small to need any. Cost: seconds for a hundred thousand chunks. */
export async function makeClusters(
  collection: Collection,
  corpus: Corpus,
  options: ClustersOptions,
  progress: Progress,
): Promise<ClustersFile | null> {
  if (corpus.chunks < options.from) return null;
  const stage = progress.stage("make clusters", 3);
  const { table } = options;
  const { dimension } = table;
  const padded = paddedDimension(dimension);
  const vector = (chunk: number) =>
    mixVectors(corpus.vector(chunk), corpus.tokens(chunk), table, options.mix);
  const random = new Random(SEED);
  const clusters = Math.min(clusterCount(corpus.chunks, FORMAT_LIMITS.clusters), corpus.chunks);
  const drawn = random.permutation(corpus.chunks).subarray(0, sampleSize(clusters));
  const sample = new Float32Array(drawn.length * dimension);
  drawn.forEach((chunk, at) => {
    sample.set(vector(chunk), at * dimension);
  });
  const size = { dimension, padded, clusters };
  const trained = trainClusters(sample, size, await clusterKernels(), random);
  stage.advance(1);
  const queries = await heldOut(collection, corpus, options, padded);
  const numbers = {
    documents: corpus.documents,
    padded,
    compressed: (chunk: number) => compressVector(vector(chunk), padded),
  };
  const best = queries.length < LEAST_QUERIES ? [] : tenBest(queries, numbers, await clusterKernels());
  stage.advance(1);
  const { probes, recall } = pickProbes(
    ranksOf(queries, best, { ...numbers, trained, clusters }, await clusterKernels()),
    clusters,
  );
  stage.done(`${clusters} clusters, ${probes} a query, recall ${recall.toFixed(4)}`);
  const { encoder } = options;
  const measured = { probes, recall, queries: best.length };
  return { meta: { encoder, table: table.file.sha256, ...size, ...measured }, ...trained };
}

/** Questions cut out of documents, as queries encode them. */
async function heldOut(
  collection: Collection,
  corpus: Corpus,
  { table, tokenizer }: ClustersOptions,
  padded: number,
): Promise<readonly HeldOutQuery[]> {
  const { questions } = await drawQuestions(collection, corpus);
  return questions.flatMap(({ question, document }) => {
    const vector = new Float32Array(padded);
    vector.set(sumOfRows(table, tokenizer.ids(question)));
    const query = quantizeQuery(vector);
    return query === null ? [] : [{ values: query.values, document }];
  });
}
