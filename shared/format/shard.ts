/** The shard file: vectors and postings of up to 65,536 chunks. docs/format.md section 7. */

import type { Sha256 } from "../hash.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { bytesOf, float32s, int8s, invalid, uint8s, uint16s, uint32s } from "./bytes.ts";
import { checkShard } from "./check-shard.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import { digest, integer, number, object, oneOf } from "./shape.ts";

/** What a shard says about itself. */
export interface ShardMeta {
  /** Digest of the document encoder's files. */
  readonly encoder: Sha256;
  /** Digest of the tokenizer file whose ids the postings use. */
  readonly tokenizer: Sha256;
  /** Digest of the table file that its vectors are matched with. */
  readonly table: Sha256;
  readonly dimension: number;
  /** Numbers in a stored vector, as in the table. */
  readonly padded: number;
  readonly vocabulary: number;
  readonly chunks: number;
  readonly documents: number;
  /** Distinct tokens with postings. */
  readonly terms: number;
  readonly postings: number;
  /** What the rows of postings number. */
  readonly posting_rows: "documents";
  /** An impact is its stored number divided by this. */
  readonly impact_scale: number;
  /** Number, in the whole index, of this shard's first document. */
  readonly first_document: number;
  /** Share of the table's own vector in the document vectors, 0 for none. */
  readonly mix: number;
  /** The clusters file that the codes are in the order of, and how many clusters it has; absent where they are in that of chunks. */
  readonly clusters?: { readonly sha256: Sha256; readonly count: number };
}

/** Codes in the order of an index's clusters. */
export interface CodeOrder {
  /** clusters + 1: first code of each cluster, never falling. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** N: chunk of each code, ascending within a cluster. */
  readonly chunks: Uint16Array<ArrayBuffer>;
}

/** A shard, as it is written and read. N chunks, M documents, P padded numbers; CSR starts have one entry more than what they divide. */
export interface ShardFile {
  readonly meta: ShardMeta;
  /** Where `meta.clusters` says that there is one. Codes and factors are then in this order, all else in that of chunks. */
  readonly order?: CodeOrder;
  /** N x P/8 bytes: bit j, at byte j>>3 and bit j&7, is set where number j of the rotated vector is positive. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** Correction factor of each code: positive, or 0 for a vector of zeros. */
  readonly factors: Float32Array<ArrayBuffer>;
  /** N x P numbers of the rotated unit vectors, each times its scale. */
  readonly vectors: Int8Array<ArrayBuffer>;
  /** Scale of each vector: number = int8 x scale. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** M + 1: first chunk of each document. Every document has at least one chunk. */
  readonly owners: Uint32Array<ArrayBuffer>;
  /** N pairs `[start, end)` in UTF-16 units of the document's `text`. */
  readonly passages: Uint32Array<ArrayBuffer>;
  /** Token ids with postings, ascending. */
  readonly terms: Uint32Array<ArrayBuffer>;
  /** terms + 1: first posting of each term. Every term has at least one. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Document number of each posting, ascending within a term. */
  readonly rows: Uint16Array<ArrayBuffer>;
  /** Impact of each posting times `impact_scale`, 1 to 255. */
  readonly impacts: Uint8Array<ArrayBuffer>;
  /** The documents' ids in UTF-8, back to back, strictly ascending: `ids.ts`. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** M + 1: first byte of each id. */
  readonly idStarts: Uint32Array<ArrayBuffer>;
  /** M pairs: block of the documents file, and record in the block. */
  readonly places: Uint32Array<ArrayBuffer>;
}

const checkMeta = object<ShardMeta>(
  {
    encoder: digest,
    tokenizer: digest,
    table: digest,
    dimension: integer(1, FORMAT_LIMITS.dimension),
    padded: integer(128, FORMAT_LIMITS.dimension),
    vocabulary: integer(1, FORMAT_LIMITS.vocabulary),
    chunks: integer(1, FORMAT_LIMITS.shardChunks),
    documents: integer(1, FORMAT_LIMITS.shardChunks),
    terms: integer(0, FORMAT_LIMITS.vocabulary),
    postings: integer(0, 0xffffffff),
    posting_rows: oneOf(["documents"]),
    impact_scale: number(2 ** -20, 2 ** 20),
    first_document: integer(0, 0xffffffff),
    mix: number(0, 16),
    clusters: object<NonNullable<ShardMeta["clusters"]>>({
      sha256: digest,
      count: integer(1, FORMAT_LIMITS.clusters),
    }),
  },
  ["clusters"],
);

/** A shard as a file. Throws `format/invalid` for what `readShard` would refuse. */
export async function writeShard(shard: ShardFile): Promise<WrittenFile> {
  const { chunks, padded } = readShardMeta(shard.meta);
  checkShard(shard);
  int8s(bytesOf(shard.vectors), chunks * padded, "shard section vectors");
  return writeEnvelope("shard", { ...shard.meta }, [
    { name: "codes", bytes: shard.codes },
    { name: "factors", bytes: bytesOf(shard.factors) },
    { name: "vectors", bytes: bytesOf(shard.vectors) },
    { name: "scales", bytes: bytesOf(shard.scales) },
    { name: "owners", bytes: bytesOf(shard.owners) },
    { name: "passages", bytes: bytesOf(shard.passages) },
    { name: "terms", bytes: bytesOf(shard.terms) },
    { name: "starts", bytes: bytesOf(shard.starts) },
    { name: "rows", bytes: bytesOf(shard.rows) },
    { name: "impacts", bytes: shard.impacts },
    { name: "ids", bytes: shard.ids },
    { name: "id_starts", bytes: bytesOf(shard.idStarts) },
    { name: "places", bytes: bytesOf(shard.places) },
    ...(shard.order === undefined
      ? []
      : [
          { name: "cluster_starts", bytes: bytesOf(shard.order.starts) },
          { name: "code_chunks", bytes: bytesOf(shard.order.chunks) },
        ]),
  ]);
}

/** Sections that a search reads only for the few documents that it scores, or not at all: memory may do without them. */
type ColdName = "vectors" | "scales" | "passages" | "ids" | "idStarts" | "places";
/** What of a shard every search reads. */
export type HotShardFile = Omit<ShardFile, ColdName>;

/**
 * The shard of an open file: views of its bytes, every number of them checked. Throws
 * `format/invalid` where a rule of section 7 is broken. Cost: one pass over all but vectors and codes.
 */
export function readShard(envelope: Envelope): ShardFile {
  const rest = readAllButVectors(envelope);
  const { chunks, padded } = rest.meta;
  return { ...rest, vectors: int8s(envelope.section("vectors"), chunks * padded, "shard section vectors") };
}

/** As `readShard`, of an envelope in which nobody asks for the vectors, whose every byte is valid. */
export function readAllButVectors(envelope: Envelope): Omit<ShardFile, "vectors"> {
  const hot = readHotSections(envelope);
  const { chunks: n, documents: m } = hot.meta;
  const view = viewOf(envelope);
  const shard = {
    ...hot,
    scales: view(float32s, "scales", n),
    passages: view(uint32s, "passages", 2 * n),
    ids: envelope.section("ids"),
    idStarts: view(uint32s, "id_starts", m + 1),
    places: view(uint32s, "places", 2 * m),
  };
  checkShard(shard);
  return shard;
}

/** Views of what every search reads. Checks lengths alone: for bits that are known to be those that were checked before. */
export function readHotSections(envelope: Envelope): HotShardFile {
  const meta = readShardMeta(envelope.meta);
  const { chunks: n, documents: m, padded: p, terms, postings } = meta;
  const view = viewOf(envelope);
  return {
    meta,
    ...(meta.clusters === undefined
      ? {}
      : {
          order: {
            starts: view(uint32s, "cluster_starts", meta.clusters.count + 1),
            chunks: view(uint16s, "code_chunks", n),
          },
        }),
    codes: view(uint8s, "codes", (n * p) / 8),
    factors: view(float32s, "factors", n),
    owners: view(uint32s, "owners", m + 1),
    terms: view(uint32s, "terms", terms),
    starts: view(uint32s, "starts", terms + 1),
    rows: view(uint16s, "rows", postings),
    impacts: view(uint8s, "impacts", postings),
  };
}

function viewOf(envelope: Envelope) {
  return <T>(
    read: (bytes: Uint8Array<ArrayBuffer>, count: number, what: string) => T,
    name: string,
    count: number,
  ): T => read(envelope.section(name), count, `shard section ${name}`);
}

/** The checked meta of a shard file, whole or ranged. */
export function readShardMeta(value: unknown): ShardMeta {
  const meta = checkMeta(value, "shard");
  if (meta.padded % 128 !== 0 || meta.padded < meta.dimension) {
    throw invalid(`shard.padded must be a multiple of 128 not below the dimension, not ${meta.padded}.`);
  }
  if (meta.documents > meta.chunks) throw invalid("shard.documents is greater than shard.chunks.");
  return meta;
}
