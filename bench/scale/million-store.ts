/** A real index of a million chunks: ten copies of the hundred thousand that were encoded, in 16 shards of one size. */
import { readFile } from "node:fs/promises";
import { clusterKernels } from "../../indexer/stages/make-clusters.ts";
import { readPointer } from "../../indexer/store/publish.ts";
import { Publisher, publishVersion } from "../../indexer/store/publish-version.ts";
import { writeClusters } from "../../shared/format/clusters.ts";
import { DocumentsWriter } from "../../shared/format/documents.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { type BlobEntry, blobsOf } from "../../shared/format/manifest.ts";
import { readShard, writeShard } from "../../shared/format/shard.ts";
import { createAssigner } from "../../shared/segment/clusters.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { contentDigest } from "../../shared/segment/document.ts";
import {
  documentsOf,
  makeSegment,
  paddedDimension,
  type SegmentDocument,
} from "../../shared/segment/segment.ts";
import { changedImpacts, copySeed, noisyVector } from "./copies.ts";
import type { Line } from "./corpus.ts";
import { clustersOf } from "./make-shard-files.ts";
import { type Scale, scaleVectors } from "./prepare.ts";
import { encodeQueries, queryTexts } from "./queries.ts";

/** The index's name, beside the one that it is made of and in the same store. */
export const MILLION = "million";
const COPIES = 10;
const SHARDS = 16;
/** Questions that the number of clusters to look into is chosen on; those measured are others. */
const QUESTIONS = 400;

/** Makes the index where the store has none. Minutes; resolves to its chunks and shards. */
export async function prepareMillion(
  scale: Scale,
  rebuild: boolean,
): Promise<{ readonly chunks: number; readonly shards: number }> {
  const { store, manifest, progress } = scale;
  const stored = await readPointer(store, MILLION);
  const chunks = COPIES * manifest.counts.chunks;
  if (stored !== null && !rebuild) return { chunks, shards: SHARDS };
  const originals = await originalsOf(scale);
  const publisher = new Publisher(store);
  const kept = ["tokenizer", "table", "lexicon"];
  const blobs: BlobEntry[] = manifest.blobs.filter(({ role }) => kept.includes(role));
  const stage = progress.stage("make clusters", 1);
  const { encoder, table, dimension } = originals.meta;
  const { table: queries } = await encodeQueries(scale, await queryTexts(QUESTIONS, 1));
  const vectorOf = (row: number) => vectorOfCopy(originals, row);
  const clusters = await clustersOf(chunks, vectorOf, { encoder, table, dimension, queries });
  const file = await writeClusters(clusters);
  stage.done(`${clusters.meta.clusters}, ${clusters.meta.probes} a query, recall ${clusters.meta.recall}`);
  blobs.push({ role: "clusters", ...(await publisher.put(file)) });
  const assigner = createAssigner(await clusterKernels(), clusters, file.sha256);
  const writing = progress.stage("write shards", chunks);
  for (let ordinal = 0; ordinal < SHARDS; ordinal++) {
    const [first, end] = [ordinal, ordinal + 1].map((at) => Math.round((at * chunks) / SHARDS));
    const writer = new DocumentsWriter();
    const own: SegmentDocument[] = [];
    for (let row = first!; row < end!; row++) own.push(await copyOf(originals, row, writer));
    const shard = await writeShard(makeSegment(own, originals.meta, assigner));
    blobs.push({ role: "shard", ordinal, ...(await publisher.put(shard)) });
    blobs.push({ role: "documents", ordinal, ...(await publisher.put(await writer.finish())) });
    writing.advance(own.length);
  }
  writing.done(`${SHARDS} shards`);
  const counts = { documents: chunks, chunks, rejected: 0 };
  const { model, tasks, fusion, fields } = manifest;
  const content = { index: MILLION, model, tasks, fusion, counts, fields, blobs };
  await publishVersion(store, content, stored, new Date());
  return { chunks, shards: SHARDS };
}

interface Originals {
  readonly meta: ReturnType<typeof readShard>["meta"];
  /** In the order of the index. */
  readonly documents: readonly Pick<SegmentDocument, "id" | "impacts" | "passages">[];
  readonly lines: ReadonlyMap<string, Line>;
  vector(at: number): Float32Array;
}

async function originalsOf(scale: Scale): Promise<Originals> {
  const { store, manifest, corpus } = scale;
  const { ids, vectors, dimension } = await scaleVectors(scale);
  const documents: Originals["documents"][number][] = [];
  let meta: Originals["meta"] | undefined;
  for (const blob of blobsOf(manifest, "shard")) {
    const shard = readShard(await loadEnvelope(store, blob));
    meta ??= shard.meta;
    // Not the chunks: they are views that would keep all vectors in memory twice.
    documents.push(...documentsOf(shard).map(({ id, impacts, passages }) => ({ id, impacts, passages })));
  }
  if (meta === undefined || documents.some(({ id }, at) => id !== ids[at]))
    throw new Error("The vectors are not those of the index; run again with --rebuild.");
  const lines = (await readFile(corpus, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  return {
    meta,
    documents,
    lines: new Map(lines.map((line) => [line.id, line])),
    vector: (at) => vectors.subarray(at * dimension, (at + 1) * dimension),
  };
}

/** Row numbers go through the documents once for each copy: ids ascend with them. */
function partsOf({ documents }: Originals, row: number): { readonly copy: number; readonly at: number } {
  return { copy: Math.floor(row / documents.length), at: row % documents.length };
}

/** The first copy's vectors are the originals. */
function vectorOfCopy(originals: Originals, row: number): Float32Array {
  const { copy, at } = partsOf(originals, row);
  return copy === 0 ? originals.vector(at) : noisyVector(originals.vector(at), copySeed(copy, at));
}

async function copyOf(originals: Originals, row: number, writer: DocumentsWriter): Promise<SegmentDocument> {
  const { documents, lines, meta } = originals;
  const { copy, at } = partsOf(originals, row);
  const { id: own, impacts, passages } = documents[at]!;
  const seed = copySeed(copy, at);
  const id = `${copy}-${own}`;
  const { title, text } = lines.get(own)!;
  const fields = { title, text };
  const digest = await contentDigest({ id, fields, sections: [] });
  const vector = Float32Array.from(vectorOfCopy(originals, row));
  return {
    id,
    passages,
    place: await writer.add({ id, fields, passages }, digest),
    impacts:
      copy === 0 ? impacts : changedImpacts(impacts, documents[seed % documents.length]!.impacts, seed),
    chunks: [compressVector(vector, paddedDimension(meta.dimension))],
  };
}
