/** A real index of a million chunks: ten copies of the hundred thousand that were encoded, in shards of one size. */
import { readFile } from "node:fs/promises";
import { makeShards, type ShardDocument } from "../../indexer/stages/make-shards.ts";
import { readPointer } from "../../indexer/store/publish.ts";
import { Publisher, publishVersion } from "../../indexer/store/publish-version.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { type BlobEntry, blobsOf } from "../../shared/format/manifest.ts";
import { readShard } from "../../shared/format/shard.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { contentDigest } from "../../shared/segment/document.ts";
import { documentsOf, paddedDimension, type SegmentDocument } from "../../shared/segment/segment.ts";
import { changedImpacts, copySeed, noisyVector } from "./copies.ts";
import type { Line } from "./corpus.ts";
import { type Scale, scaleVectors } from "./prepare.ts";

/** The index's name, beside the one that it is made of and in the same store. */
export const MILLION = "million";
const COPIES = 10;
const SHARDS = 16;

/** Makes the index where the store has none of the same origin. Minutes; resolves to its chunks and shards. */
export async function prepareMillion(
  scale: Scale,
  rebuild: boolean,
): Promise<{ readonly chunks: number; readonly shards: number }> {
  const { store, manifest } = scale;
  const stored = await readPointer(store, MILLION);
  if (stored !== null && !rebuild) return { chunks: COPIES * manifest.counts.chunks, shards: SHARDS };
  const originals = await originalsOf(scale);
  const facts = originals.meta;
  const documents: ShardDocument[] = [];
  for (let copy = 0; copy < COPIES; copy++)
    for (let at = 0; at < originals.documents.length; at++)
      documents.push(copyOf(originals, copy, at, paddedDimension(facts.dimension)));
  const publisher = new Publisher(store);
  const blobs: BlobEntry[] = manifest.blobs.filter(({ role }) => role !== "shard" && role !== "documents");
  const shardChunks = Math.ceil(documents.length / SHARDS);
  let ordinal = 0;
  for await (const made of makeShards(documents, facts, scale.progress, shardChunks)) {
    blobs.push({ role: "shard", ordinal, ...(await publisher.put(made.shard)) });
    blobs.push({ role: "documents", ordinal, ...(await publisher.put(made.documents)) });
    ordinal++;
  }
  const counts = { documents: documents.length, chunks: documents.length, rejected: 0 };
  const { model, tasks, fusion, fields } = manifest;
  const content = { index: MILLION, model, tasks, fusion, counts, fields, blobs };
  await publishVersion(store, content, stored, new Date());
  return { chunks: counts.chunks, shards: ordinal };
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

/** One copy of a document; the first is the document itself but for its id. Ids ascend with copy and document. */
function copyOf(originals: Originals, copy: number, at: number, padded: number): ShardDocument {
  const { documents, lines } = originals;
  const { id: own, impacts, passages } = documents[at]!;
  const id = `${copy}-${own}`;
  return {
    id,
    chunks: 1,
    postings: impacts.ids.length,
    async make() {
      const seed = copySeed(copy, at);
      const other = documents[seed % documents.length]!;
      const vector = copy === 0 ? originals.vector(at) : noisyVector(originals.vector(at), seed);
      const { title, text } = lines.get(own)!;
      const fields = { title, text };
      return {
        numbers: {
          id,
          passages,
          impacts: copy === 0 ? impacts : changedImpacts(impacts, other.impacts, seed),
          chunks: [compressVector(vector as Float32Array<ArrayBuffer>, padded)],
        },
        record: { id, fields, passages },
        digest: await contentDigest({ id, fields, sections: [] }),
      };
    },
  };
}
