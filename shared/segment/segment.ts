/**
 * Documents to a shard and back. What a shard says of a document does not depend on the other
 * documents in it, so shards can be cut, joined and made in different places: by the indexer from
 * a corpus, by the indexer from older shards, at the edge from what was just written.
 */
import type { Place } from "../format/documents.ts";
import { idAt, packIds } from "../format/ids.ts";
import type { CodeOrder, ShardFile, ShardMeta } from "../format/shard.ts";
import type { Assigner } from "./clusters.ts";
import type { CompressedVector } from "./compress-vector.ts";
import type { SparseVector } from "./impacts.ts";

/** Impacts as a shard stores them: token ids ascending, each with a whole number from 1 to 255. */
export interface StoredImpacts {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
}

/** All that a shard holds of one document. */
export interface SegmentDocument {
  readonly id: string;
  /** `[start, end)` of each chunk in UTF-16 units of the text: at least one. */
  readonly passages: readonly { readonly start: number; readonly end: number }[];
  /** Where its record lies in the documents file beside the shard. */
  readonly place: Place;
  readonly impacts: StoredImpacts;
  /** One vector for each passage, padded. */
  readonly chunks: readonly CompressedVector[];
}

/** What a shard's numbers were made with: the same for all shards of a version. */
export type SegmentFacts = Pick<
  ShardMeta,
  "encoder" | "tokenizer" | "table" | "dimension" | "vocabulary" | "impact_scale" | "mix"
>;

/** Stored impacts are whole numbers up to this. */
export const GREATEST_IMPACT = 255;

/** Numbers of a stored vector for this many of its own: the kernels take 128 at a time. */
export function paddedDimension(dimension: number): number {
  return Math.ceil(dimension / 128) * 128;
}

/** Impacts times `scale`, rounded into 1 to 255: what is smaller still says that the token is there. */
export function quantizeImpacts({ ids, values }: SparseVector, scale: number): StoredImpacts {
  return {
    ids,
    values: Uint8Array.from(values, (value) =>
      Math.max(1, Math.min(GREATEST_IMPACT, Math.round(value * scale))),
    ),
  };
}

/**
 * The shard of these documents, which must be in ascending order of ids: at least one, 65,536 chunks at most. With
 * clusters its codes are in their order.
 */
export function makeSegment(
  documents: readonly SegmentDocument[],
  facts: SegmentFacts,
  clusters: Assigner | null = null,
): ShardFile {
  const padded = paddedDimension(facts.dimension);
  const owners = new Uint32Array(documents.length + 1);
  documents.forEach(({ chunks }, at) => {
    owners[at + 1] = owners[at]! + chunks.length;
  });
  const count = owners[documents.length]!;
  const codes = new Uint8Array((count * padded) / 8);
  const factors = new Float32Array(count);
  const vectors = new Int8Array(count * padded);
  const scales = new Float32Array(count);
  const passages = new Uint32Array(2 * count);
  documents.forEach((document, at) => {
    document.chunks.forEach((chunk, i) => {
      const row = owners[at]! + i;
      codes.set(chunk.code, (row * padded) / 8);
      factors[row] = chunk.factor;
      vectors.set(chunk.values, row * padded);
      scales[row] = chunk.scale;
      passages[2 * row] = document.passages[i]!.start;
      passages[2 * row + 1] = document.passages[i]!.end;
    });
  });
  const order = clusters === null ? {} : inOrder(clusters, { codes, factors, vectors });
  const postings = invert(documents.map(({ impacts }) => impacts));
  const { encoder, tokenizer, table, dimension, vocabulary, impact_scale, mix } = facts;
  return {
    meta: {
      encoder,
      tokenizer,
      table,
      dimension,
      padded,
      vocabulary,
      chunks: count,
      documents: documents.length,
      terms: postings.terms.length,
      postings: postings.rows.length,
      posting_rows: "documents",
      impact_scale,
      first_document: 0,
      mix,
      ...(clusters === null ? {} : { clusters: { sha256: clusters.sha256, count: clusters.count } }),
    },
    codes,
    factors,
    ...order,
    vectors,
    scales,
    owners,
    passages,
    ...postings,
    ...packIds(documents.map(({ id }) => id)),
    places: Uint32Array.from(documents.flatMap(({ place: { block, index } }) => [block, index])),
  };
}

/** The documents of a shard in its order. Views of its arrays, not copies, where that can be. */
export function documentsOf(shard: ShardFile): readonly SegmentDocument[] {
  const { meta, owners, passages, places } = shard;
  const impacts = revert(shard);
  const { padded } = meta;
  const code = codeOf(shard);
  return Array.from({ length: meta.documents }, (_, at) => {
    const rows = Array.from({ length: owners[at + 1]! - owners[at]! }, (_, i) => owners[at]! + i);
    return {
      id: idAt(shard, at),
      passages: rows.map((row) => ({ start: passages[2 * row]!, end: passages[2 * row + 1]! })),
      place: { block: places[2 * at]!, index: places[2 * at + 1]! },
      impacts: impacts[at]!,
      chunks: rows.map((row) => ({
        code: shard.codes.subarray((code(row) * padded) / 8, ((code(row) + 1) * padded) / 8),
        factor: shard.factors[code(row)]!,
        values: shard.vectors.subarray(row * padded, (row + 1) * padded),
        scale: shard.scales[row]!,
      })),
    };
  });
}

/** Codes and factors, given in the order of chunks, in that of clusters. */
function inOrder(
  clusters: Assigner,
  { codes, factors, vectors }: Pick<ShardFile, "codes" | "factors" | "vectors">,
): Pick<ShardFile, "codes" | "factors"> & { readonly order: CodeOrder } {
  const width = codes.length / factors.length;
  const order = clusters.order(vectors, factors.length);
  const moved = { codes: new Uint8Array(codes.length), factors: new Float32Array(factors.length) };
  order.chunks.forEach((chunk, code) => {
    moved.codes.set(codes.subarray(chunk * width, (chunk + 1) * width), code * width);
    moved.factors[code] = factors[chunk]!;
  });
  return { ...moved, order };
}

/** Where the code of a chunk lies. */
function codeOf({ meta, order }: Pick<ShardFile, "meta" | "order">): (chunk: number) => number {
  if (order === undefined) return (chunk) => chunk;
  const codes = new Uint16Array(meta.chunks);
  order.chunks.forEach((chunk, code) => {
    codes[chunk] = code;
  });
  return (chunk) => codes[chunk]!;
}

/** Impacts by document into postings by term, rows ascending. */
function invert(impacts: readonly StoredImpacts[]): Pick<ShardFile, "terms" | "starts" | "rows" | "impacts"> {
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
      stored[at] = values[i]!;
    });
  });
  return { terms, starts, rows, impacts: stored };
}

/** Postings by term into impacts by document: terms ascend, so each document's ids do. */
function revert({ meta, terms, starts, rows, impacts }: ShardFile): readonly StoredImpacts[] {
  const lengths = new Uint32Array(meta.documents);
  for (const row of rows) lengths[row]!++;
  const found = Array.from(lengths, (length) => ({
    ids: new Uint32Array(length),
    values: new Uint8Array(length),
  }));
  const filled = new Uint32Array(meta.documents);
  terms.forEach((term, at) => {
    for (let posting = starts[at]!; posting < starts[at + 1]!; posting++) {
      const row = rows[posting]!;
      const i = filled[row]!++;
      found[row]!.ids[i] = term;
      found[row]!.values[i] = impacts[posting]!;
    }
  });
  return found;
}
