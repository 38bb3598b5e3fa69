/** Corpus to shards: vectors compressed, impacts inverted into postings, documents packed beside them. */
import { DocumentsWriter } from "../../shared/format/documents.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { writeShard } from "../../shared/format/shard.ts";
import type { Sha256 } from "../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { contentDigest } from "../../shared/segment/document.ts";
import type { SparseVector } from "../../shared/segment/impacts.ts";
import {
  GREATEST_IMPACT,
  makeSegment,
  paddedDimension,
  quantizeImpacts,
  type SegmentDocument,
} from "../../shared/segment/segment.ts";
import type { Progress } from "../progress.ts";
import type { Collection } from "./collect.ts";
import type { Corpus } from "./encode-corpus.ts";
import { mixVectors } from "./mix.ts";

/** What shards need beside the corpus. */
export interface ShardOptions {
  readonly encoder: Sha256;
  readonly tokenizer: Sha256;
  readonly table: Sha256;
  readonly dimension: number;
  readonly vocabulary: number;
  /** Of each document of the corpus, and what they are multiplied by: one scale for the whole index. */
  readonly impacts: readonly SparseVector[];
  readonly impactScale: number;
  /** vocabulary x dimension: the table's rows as the edge decodes them. */
  readonly decoded: Float32Array;
  /** Share of the table's own vector in a chunk's, 0 for none. */
  readonly mix: number;
  /** Chunks of a shard, at most. */
  readonly chunks?: number;
}

/** A shard with the documents it points to. */
export interface BuiltShard {
  readonly shard: WrittenFile;
  readonly documents: WrittenFile;
}

/** The shards of a corpus one after the other; only one is in memory at a time beside the corpus. */
export async function* makeShards(
  collection: Collection,
  corpus: Corpus,
  options: ShardOptions,
  progress: Progress,
): AsyncIterable<BuiltShard> {
  const stage = progress.stage("write shards", corpus.documents.length);
  const { encoder, tokenizer, table, dimension, vocabulary, mix } = options;
  const { impacts, impactScale } = options;
  const facts = { encoder, tokenizer, table, dimension, vocabulary, impact_scale: impactScale, mix };
  let count = 0;
  for (const [first, end] of divide(corpus, impacts, options)) {
    const documents: SegmentDocument[] = [];
    const writer = new DocumentsWriter();
    for (let number = first; number < end; number++) {
      const source = await collection.read(number);
      const { passages } = corpus.documents[number]!;
      const { id, fields } = source;
      documents.push({
        id,
        passages,
        place: await writer.add({ id, fields, passages }, await contentDigest(source)),
        impacts: quantizeImpacts(impacts[number]!, impactScale),
        chunks: passages.map((_, i) => compressChunk(corpus, chunkOf(corpus, number) + i, options)),
      });
      stage.advance(1);
    }
    const shard = await writeShard(makeSegment(documents, facts));
    count++;
    yield { shard, documents: await writer.finish() };
  }
  stage.done(`${count} ${count === 1 ? "shard" : "shards"}`);
}

/** The scale at which the greatest of these impacts is the greatest that can be stored. */
export function impactScaleOf(impacts: readonly SparseVector[]): number {
  let most = 0;
  for (const { values } of impacts) for (const value of values) most = Math.max(most, value);
  return GREATEST_IMPACT / (most > 0 ? most : 1);
}

/** Number of a document's first chunk; for the number after the last document, the number of chunks. */
function chunkOf(corpus: Corpus, document: number): number {
  return corpus.documents[document]?.firstChunk ?? corpus.chunks;
}

/** Ranges `[first, end)` of documents that keep a shard within its chunks and bytes. A document is never divided. */
function* divide(
  corpus: Corpus,
  impacts: readonly SparseVector[],
  { dimension, chunks = FORMAT_LIMITS.shardChunks }: ShardOptions,
): Iterable<readonly [number, number]> {
  const limit = Math.min(chunks, FORMAT_LIMITS.shardChunks);
  // Codes, vectors, factors, scales, passages and work space of a chunk; row and impact of a posting.
  const chunkBytes = Math.ceil(dimension / 128) * (16 + 128) + 32;
  let first = 0;
  let bytes = 0;
  for (let number = 0; number < corpus.documents.length; number++) {
    const own = chunkOf(corpus, number + 1) - chunkOf(corpus, number);
    const more = own * chunkBytes + impacts[number]!.ids.length * 3 + 64;
    const held = chunkOf(corpus, number) - chunkOf(corpus, first);
    if (number > first && (held + own > limit || bytes + more > FORMAT_LIMITS.shardBytes)) {
      yield [first, number];
      first = number;
      bytes = 0;
    }
    bytes += more;
  }
  if (first < corpus.documents.length) yield [first, corpus.documents.length];
}

function compressChunk(corpus: Corpus, chunk: number, { decoded, mix, dimension }: ShardOptions) {
  const vector = mixVectors(corpus.vector(chunk), corpus.tokens(chunk), decoded, mix);
  return compressVector(vector, paddedDimension(dimension));
}
