/** Documents to shards: divided, each shard's numbers packed, its documents' records beside it. */

import type { StoredDocument } from "../../shared/format/document-block.ts";
import { DocumentsWriter } from "../../shared/format/documents.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { writeShard } from "../../shared/format/shard.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import type { Assigner } from "../../shared/segment/clusters.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import type { SparseVector } from "../../shared/segment/impacts.ts";
import {
  GREATEST_IMPACT,
  makeSegment,
  paddedDimension,
  quantizeImpacts,
  type SegmentDocument,
  type SegmentFacts,
} from "../../shared/segment/segment.ts";
import type { DecodedTable } from "../compress/decode-table.ts";
import type { Progress } from "../progress.ts";
import type { Collection } from "./collect.ts";
import type { Corpus } from "./encode-corpus.ts";
import { mixVectors } from "./mix.ts";

/** A document that can be put into a shard. Its numbers are made, or fetched, when its turn comes. */
export interface ShardDocument {
  readonly id: string;
  readonly chunks: number;
  readonly postings: number;
  /** What the shard holds of it but the place, which only the writer knows; its record; its `contentDigest`. */
  make(): Promise<{
    readonly numbers: Omit<SegmentDocument, "place">;
    readonly record: StoredDocument;
    readonly digest: string;
  }>;
}

/** A shard with the documents it points to. */
export interface BuiltShard {
  /** Least of its ids, and its chunks. */
  readonly first: string;
  readonly chunks: number;
  readonly shard: WrittenFile;
  readonly documents: WrittenFile;
}

/**
 * Shards of these documents, which must be in ascending order of ids, one after the other; only one is
 * in memory at a time. `chunks` is how many a shard holds at most; what fits the resident budget when absent.
 * With clusters, codes are in their order.
 */
export async function* makeShards(
  documents: readonly ShardDocument[],
  facts: SegmentFacts,
  progress: Progress,
  chunks: number = FORMAT_LIMITS.shardChunks,
  clusters: Assigner | null = null,
): AsyncIterable<BuiltShard> {
  const stage = progress.stage("write shards", documents.length);
  let count = 0;
  for (const [first, end] of divide(documents, facts.dimension, chunks)) {
    const own: SegmentDocument[] = [];
    const writer = new DocumentsWriter();
    for (let number = first; number < end; number++) {
      const { numbers, record, digest } = await documents[number]!.make();
      own.push({ ...numbers, place: await writer.add(record, digest) });
      stage.advance(1);
    }
    const segment = makeSegment(own, facts, clusters);
    count++;
    yield {
      first: own[0]!.id,
      chunks: segment.meta.chunks,
      shard: await writeShard(segment),
      documents: await writer.finish(),
    };
  }
  stage.done(`${count} ${count === 1 ? "shard" : "shards"}`);
}

/** What turns a corpus' numbers into a shard's. */
export interface CorpusNumbers {
  /** Impacts of each document of the corpus. */
  readonly impacts: readonly SparseVector[];
  /** The table's rows as the edge decodes them. */
  readonly table: Pick<DecodedTable, "row">;
}

/** The documents of a corpus, ready for shards. */
export function corpusDocuments(
  collection: Collection,
  corpus: Corpus,
  { impacts, table }: CorpusNumbers,
  facts: SegmentFacts,
): readonly ShardDocument[] {
  const padded = paddedDimension(facts.dimension);
  return corpus.documents.map(({ firstChunk, passages }, number) => ({
    id: collection.ids[number]!,
    chunks: passages.length,
    postings: impacts[number]!.ids.length,
    async make() {
      const { id, fields } = await collection.read(number);
      const chunks = passages.map((_, at) => {
        const chunk = firstChunk + at;
        const vector = mixVectors(corpus.vector(chunk), corpus.tokens(chunk), table, facts.mix);
        return compressVector(vector, padded);
      });
      return {
        numbers: { id, passages, impacts: quantizeImpacts(impacts[number]!, facts.impact_scale), chunks },
        record: { id, fields, passages },
        digest: collection.digests[number]!,
      };
    },
  }));
}

/** The scale at which the greatest of these impacts is the greatest that can be stored. */
export function impactScaleOf(impacts: readonly SparseVector[]): number {
  let most = 0;
  for (const { values } of impacts) for (const value of values) most = Math.max(most, value);
  return GREATEST_IMPACT / (most > 0 ? most : 1);
}

/** Ranges `[first, end)` of documents that keep a shard within its chunks and bytes. A document is never divided. */
function* divide(
  documents: readonly ShardDocument[],
  dimension: number,
  chunks: number,
): Iterable<readonly [number, number]> {
  const limit = Math.min(chunks, FORMAT_LIMITS.shardChunks);
  // Codes, vectors, factors, scales, passages and work space of a chunk; row and impact of a posting.
  const chunkBytes = Math.ceil(dimension / 128) * (16 + 128) + 32;
  let first = 0;
  let held = 0;
  let bytes = 0;
  for (const [number, document] of documents.entries()) {
    const more = document.chunks * chunkBytes + document.postings * 3 + 64;
    if (number > first && (held + document.chunks > limit || bytes + more > FORMAT_LIMITS.shardBytes)) {
      yield [first, number];
      first = number;
      held = 0;
      bytes = 0;
    }
    held += document.chunks;
    bytes += more;
  }
  if (first < documents.length) yield [first, documents.length];
}
