/**
 * A document that was written at the edge, made searchable with what a loaded index has: chunked as
 * the indexer does it, each chunk encoded as if it were a query, the sparse side by BM25 alone. It
 * is found at once and ranked about as it will be; the next run of the indexer gives it the full encoder.
 */

import type { StoredDocument } from "../format/document-block.ts";
import type { InboxPut } from "../format/inbox.ts";
import type { Manifest } from "../format/manifest.ts";
import { chunkDocument } from "../segment/chunk.ts";
import { compressVector } from "../segment/compress-vector.ts";
import { bagOf, impactsOf } from "../segment/impacts.ts";
import { paddedDimension, quantizeImpacts, type SegmentDocument } from "../segment/segment.ts";
import { termIds } from "../segment/terms.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { forEachRow } from "./encode-query.ts";
import { addRow, missingRows, type ResidentTable, readRows } from "./resident-table.ts";
import { wordsOf } from "./words.ts";

/** A written document as a shard and as answers take it. */
export interface FreshDocument {
  /** All that a shard holds of it but its place. */
  readonly numbers: Omit<SegmentDocument, "place">;
  readonly record: StoredDocument;
  /** Its words that the tokenizer does not hold whole, folded: a query that has them is not misspelt. */
  readonly words: readonly string[];
  /** Bytes of memory that its numbers take, about, here and in a shard; its fields are not counted. */
  readonly bytes: number;
}

/** What encoding a document takes of a loaded index. */
export interface FreshParts {
  readonly manifest: Manifest;
  readonly tokenizer: Tokenizer;
  /** The table of the first task, with which shards are matched. */
  readonly table: ResidentTable;
  /** What impacts are multiplied by. */
  readonly impactScale: number;
}

/** Tokens that an encoder adds around a text: `[CLS]` and `[SEP]`, or what stands for them. */
const SPECIAL_TOKENS = 2;

/**
 * Encodes a written document; null where its tokens have rows that are not in memory. Cost: some milliseconds for 100 KiB
 * of text. Uses the table's space for sums.
 */
export function freshDocument(entry: InboxPut, parts: FreshParts): FreshDocument | null {
  const chunks = chunksOf(entry, parts);
  if (chunks.some(({ ids }) => missingRows(parts.table, ids).length > 0)) return null;
  return encoded(
    entry,
    parts,
    chunks,
    chunks.map(({ ids }) => unitSum(parts.table, ids)),
  );
}

/** As `freshDocument`, reading rows that are not in memory. Throws what reading the store does. */
export async function readFreshDocument(entry: InboxPut, parts: FreshParts): Promise<FreshDocument> {
  const chunks = chunksOf(entry, parts);
  const vectors: Float32Array<ArrayBuffer>[] = [];
  for (const { ids } of chunks) {
    for (let wait = readRows(parts.table, ids); wait !== null; wait = readRows(parts.table, ids)) await wait;
    vectors.push(unitSum(parts.table, ids));
  }
  return encoded(entry, parts, chunks, vectors);
}

type FreshChunk = ReturnType<typeof chunksOf>[number];

function chunksOf({ id, fields }: InboxPut, { manifest, tokenizer }: FreshParts) {
  const maxTokens = Math.max(2, manifest.model.max_tokens - SPECIAL_TOKENS);
  const chunks = chunkDocument(
    { id, fields, sections: [] },
    { countTokens: (piece) => tokenizer.ids(piece).length, maxTokens },
  );
  return chunks.map(({ start, end, text }) => ({ start, end, ids: tokenizer.ids(text, maxTokens) }));
}

function encoded(
  { id, fields }: InboxPut,
  { manifest, tokenizer, impactScale }: FreshParts,
  chunks: readonly FreshChunk[],
  vectors: readonly Float32Array[],
): FreshDocument {
  const padded = paddedDimension(manifest.model.dimension);
  const text = `${textOf(fields.title)} ${textOf(fields.text)}`.trim();
  const bag = bagOf(termIds(tokenizer, text));
  // A version without the mean cannot be added to; its new documents are taken to be of usual length.
  const meanLength = manifest.build?.mean_length ?? Math.max(1, bag.length);
  const passages = chunks.map(({ start, end }) => ({ start, end }));
  const numbers = {
    id,
    passages,
    impacts: quantizeImpacts(impactsOf(bag, null, { meanLength }), impactScale),
    chunks: vectors.map((vector) => compressVector(vector, padded)),
  };
  const words = unknownWords(text, tokenizer);
  const bytes = 2 * (chunks.length * (2 * padded) + numbers.impacts.ids.length * 8) + 1024;
  return { numbers, record: { id, fields, passages }, words, bytes };
}

/** The unit vector of the sum of rows that a query of these tokens has, zero where no token has a row. */
function unitSum(table: ResidentTable, ids: readonly number[]): Float32Array<ArrayBuffer> {
  const { kernels, meta, sum } = table;
  kernels.floats(sum, meta.padded).fill(0);
  forEachRow(table, ids, (row) => {
    addRow(table, row, table.scales[row]!);
  });
  // Copied without the padding, which decodes to something.
  const vector = kernels.floats(sum, meta.padded).slice(0, meta.dimension);
  const norm = Math.sqrt(vector.reduce((squares, value) => squares + value * value, 0));
  return norm > 0 ? vector.map((value) => value / norm) : vector;
}

function unknownWords(text: string, tokenizer: Tokenizer): readonly string[] {
  const words = new Set(wordsOf(text).map(({ folded }) => folded));
  return [...words].filter((word) => tokenizer.idOf(word) === undefined);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
