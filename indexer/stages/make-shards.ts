/** Corpus to shards: vectors compressed, impacts inverted into postings, documents packed beside them. */
import { DocumentsWriter, type Place } from "../../shared/format/documents.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { packIds } from "../../shared/format/ids.ts";
import { type ShardMeta, writeShard } from "../../shared/format/shard.ts";
import type { Sha256 } from "../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { compressVector } from "../compress/quantize-vectors.ts";
import type { SparseVector } from "../encode/encoder.ts";
import type { Progress } from "../progress.ts";
import { type CollectionStatistics, impactsOf } from "../sparse/impacts.ts";
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
  readonly statistics: CollectionStatistics;
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

/** Stored impacts are whole numbers up to this. */
const GREATEST_IMPACT = 255;

/** The shards of a corpus one after the other; only one is in memory at a time beside the corpus. */
export async function* makeShards(
  collection: Collection,
  corpus: Corpus,
  options: ShardOptions,
  progress: Progress,
): AsyncIterable<BuiltShard> {
  const stage = progress.stage("write shards", corpus.documents.length);
  const impacts = corpus.documents.map(({ bag, learned }) => impactsOf(bag, learned, options.statistics));
  const impactScale = GREATEST_IMPACT / greatest(impacts);
  let count = 0;
  for (const [first, end] of divide(corpus, impacts, options)) {
    const places: Place[] = [];
    const writer = new DocumentsWriter();
    for (let number = first; number < end; number++) {
      const { id, fields } = await collection.read(number);
      places.push(await writer.add({ id, fields, passages: corpus.documents[number]!.passages }));
      stage.advance(1);
    }
    const postings = invert(impacts.slice(first, end), impactScale);
    const vectors = compressChunks(corpus, first, end, options);
    const meta: ShardMeta = {
      encoder: options.encoder,
      tokenizer: options.tokenizer,
      table: options.table,
      dimension: options.dimension,
      padded: vectors.padded,
      vocabulary: options.vocabulary,
      chunks: vectors.scales.length,
      documents: end - first,
      terms: postings.terms.length,
      postings: postings.rows.length,
      posting_rows: "documents",
      impact_scale: impactScale,
      first_document: first,
      mix: options.mix,
    };
    const { codes, factors, values, scales } = vectors;
    const owners = Uint32Array.from(
      { length: end - first + 1 },
      (_, i) => chunkOf(corpus, first + i) - chunkOf(corpus, first),
    );
    const passages = Uint32Array.from(
      corpus.documents.slice(first, end).flatMap(({ passages: own }) => own.flatMap((p) => [p.start, p.end])),
    );
    const shard = await writeShard({
      meta,
      codes,
      factors,
      vectors: values,
      scales,
      owners,
      passages,
      ...postings,
      ...packIds(collection.ids.slice(first, end)),
      places: Uint32Array.from(places.flatMap(({ block, index }) => [block, index])),
    });
    count++;
    yield { shard, documents: await writer.finish() };
  }
  stage.done(`${count} ${count === 1 ? "shard" : "shards"}`);
}

function greatest(impacts: readonly SparseVector[]): number {
  let most = 0;
  for (const { values } of impacts) for (const value of values) most = Math.max(most, value);
  return most > 0 ? most : 1;
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

/** Impacts by document into postings by term, rows ascending. */
function invert(impacts: readonly SparseVector[], scale: number) {
  const counts = new Map<number, number>();
  for (const { ids } of impacts) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const terms = Uint32Array.from(counts.keys()).sort();
  const starts = new Uint32Array(terms.length + 1);
  const next = new Map<number, number>();
  terms.forEach((term, at) => {
    next.set(term, starts[at]!);
    starts[at + 1] = starts[at]! + counts.get(term)!;
  });
  const rows = new Uint16Array(starts[terms.length]!);
  const stored = new Uint8Array(rows.length);
  impacts.forEach(({ ids, values }, document) => {
    ids.forEach((id, i) => {
      const at = next.get(id)!;
      next.set(id, at + 1);
      rows[at] = document;
      stored[at] = Math.max(1, Math.min(GREATEST_IMPACT, Math.round(values[i]! * scale)));
    });
  });
  return { terms, starts, rows, impacts: stored };
}

function compressChunks(corpus: Corpus, first: number, end: number, options: ShardOptions) {
  const padded = Math.ceil(options.dimension / 128) * 128;
  const from = chunkOf(corpus, first);
  const count = chunkOf(corpus, end) - from;
  const codes = new Uint8Array((count * padded) / 8);
  const factors = new Float32Array(count);
  const values = new Int8Array(count * padded);
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const vector = mixVectors(
      corpus.vector(from + row),
      corpus.tokens(from + row),
      options.decoded,
      options.mix,
    );
    const compressed = compressVector(vector, padded);
    codes.set(compressed.code, (row * padded) / 8);
    values.set(compressed.values, row * padded);
    factors[row] = compressed.factor;
    scales[row] = compressed.scale;
  }
  return { padded, codes, factors, values, scales };
}
