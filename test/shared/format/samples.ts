/** One small file of each kind, with every section filled, and the manifest that names them. */

import { bindingHash } from "../../../shared/format/binding.ts";
import { type ClustersFile, writeClusters } from "../../../shared/format/clusters.ts";
import type { StoredDocument } from "../../../shared/format/document-block.ts";
import { DocumentsWriter } from "../../../shared/format/documents.ts";
import type { WrittenFile } from "../../../shared/format/envelope.ts";
import { packIds } from "../../../shared/format/ids.ts";
import { type LexiconEntry, packLexicon, writeLexicon } from "../../../shared/format/lexicon.ts";
import type { Manifest } from "../../../shared/format/manifest.ts";
import type { WriteId } from "../../../shared/format/names.ts";
import { writeOverlay } from "../../../shared/format/overlay.ts";
import { type ShardFile, writeShard } from "../../../shared/format/shard.ts";
import { NO_ROW, rowBytes, type TableFile, writeTable } from "../../../shared/format/table.ts";
import { writeTokenizerFile } from "../../../shared/format/tokenizer-file.ts";
import { writeTombstones } from "../../../shared/format/tombstones.ts";
import { type Sha256, sha256 } from "../../../shared/hash.ts";
import type { RowBits } from "../../../shared/kernels/kernels.ts";
import { entryOf } from "./helpers.ts";

export const ENCODER: Sha256 = await sha256("a document encoder");

/** Bytes that look random and are the same everywhere. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

export const TOKENS = ["[PAD]", "[UNK]", "edge", "light", "search"];

export const TOKENIZER_VALUE = { kind: "wordpiece", vocabulary: TOKENS, unknown: "[UNK]", lowercase: true };

export function tokenizerSample(): Promise<WrittenFile> {
  return writeTokenizerFile({ encoder: ENCODER, lowercase: true }, TOKENIZER_VALUE);
}

/** Five tokens, three of them with a row of 128 values for 100 dimensions. */
export function tableContent(tokenizer: Sha256, bits: RowBits = 4): TableFile {
  const padded = 128;
  return {
    meta: {
      encoder: ENCODER,
      tokenizer,
      task: "search",
      query_prompt: "query: ",
      source: "fitted",
      dimension: 100,
      padded,
      vocabulary: TOKENS.length,
      rows: 3,
      bits,
      codebook: [-127, -98, -78, -62, -47, -34, -22, -11, 0, 11, 22, 34, 47, 62, 78, 98],
      rotation: { kind: "hadamard", seed: 7, rounds: 3 },
      weight_scale: 256,
      fit: { texts: 42, lambda: 0.3, iterations: 20, residual: 0.125 },
    },
    rank: Uint32Array.of(NO_ROW, NO_ROW, 1, 2, 0),
    phrases: new Uint32Array(0),
    scales: Float32Array.of(0.5, 0.25, 0.0078125),
    rows: noise(3 * rowBytes(padded, bits)),
    weights: Uint16Array.of(0, 0, 256, 512, 16_383),
  };
}

/** The same table with rows for two pairs of tokens. */
export function phraseTableContent(tokenizer: Sha256): TableFile {
  const table = tableContent(tokenizer, 3);
  const { meta } = table;
  return {
    ...table,
    meta: { ...meta, rows: 5, phrases: 2 },
    phrases: Uint32Array.of(2, 4, 3, 3),
    scales: Float32Array.of(0.5, 0.25, 0.0078125, 0.125, 2),
    rows: noise(5 * rowBytes(meta.padded, 3), 2),
  };
}

/** The same with a tier of one bit for tokens, and pairs in one of three. */
export function tieredTableContent(tokenizer: Sha256): TableFile {
  const table = phraseTableContent(tokenizer);
  const { meta } = table;
  const codebook = [-127, 127, ...new Array<number>(14).fill(0)];
  const rows = new Uint8Array(2 * 65_536);
  rows.set(noise(3 * rowBytes(meta.padded, 1), 4));
  rows.set(noise(2 * rowBytes(meta.padded, 3), 5), 65_536);
  const tiers = [
    { rows: 3, bits: 1, codebook },
    { rows: 2, bits: 3, codebook: meta.codebook },
  ] as const;
  return { ...table, meta: { ...meta, bits: 1, codebook, tiers }, rows };
}

export const DOCUMENTS: readonly StoredDocument[] = [
  {
    id: "a/1",
    fields: {
      title: "Light at the edge",
      text: "Light bends. \u{1F4A1} Edges search.",
      year: 2026,
      draft: false,
    },
    passages: [
      { start: 0, end: 12 },
      { start: 13, end: 29, heading: "Edges", anchor: "edges" },
    ],
  },
  { id: "\u00e9", fields: { text: "", tags: ["a", 1, true], gone: null }, passages: [{ start: 0, end: 0 }] },
];

/** Two documents with three chunks and four postings for two terms. */
export function shardContent(tokenizer: Sha256, table: Sha256): ShardFile {
  return {
    meta: {
      encoder: ENCODER,
      tokenizer,
      table,
      dimension: 100,
      padded: 128,
      vocabulary: TOKENS.length,
      chunks: 3,
      documents: 2,
      terms: 2,
      postings: 3,
      posting_rows: "documents",
      impact_scale: 32,
      first_document: 0,
      mix: 0.5,
    },
    codes: noise(3 * 16, 2),
    factors: Float32Array.of(0.75, 1.5, 0),
    vectors: new Int8Array(noise(3 * 128, 3).buffer),
    scales: Float32Array.of(0.0078125, 0.015625, 1),
    owners: Uint32Array.of(0, 2, 3),
    passages: Uint32Array.of(0, 12, 13, 29, 0, 0),
    terms: Uint32Array.of(2, 4),
    starts: Uint32Array.of(0, 1, 3),
    rows: Uint16Array.of(0, 0, 1),
    impacts: Uint8Array.of(255, 17, 1),
    ...packIds(DOCUMENTS.map((document) => document.id)),
    places: Uint32Array.of(0, 0, 0, 1),
  };
}

/** Three clusters of 100 dimensions. */
export function clustersContent(table: Sha256): ClustersFile {
  const centroids = new Int8Array(3 * 128);
  for (let cluster = 0; cluster < 3; cluster++)
    centroids.set(new Int8Array(noise(100, 5 + cluster).buffer), cluster * 128);
  return {
    meta: {
      encoder: ENCODER,
      table,
      dimension: 100,
      padded: 128,
      clusters: 3,
      probes: 2,
      recall: 0.9925,
      queries: 400,
    },
    centroids,
    scales: Float32Array.of(0.0078125, 0.5, 0.25),
  };
}

/** The shard above with its codes in the order of three clusters, one of them empty. */
export function orderedShardContent(tokenizer: Sha256, table: Sha256, clusters: Sha256): ShardFile {
  const shard = shardContent(tokenizer, table);
  const order = { starts: Uint32Array.of(0, 2, 2, 3), chunks: Uint16Array.of(0, 2, 1) };
  return { ...shard, meta: { ...shard.meta, clusters: { sha256: clusters, count: 3 } }, order };
}

export async function documentsSample(): Promise<WrittenFile> {
  const writer = new DocumentsWriter();
  for (const document of DOCUMENTS) await writer.add(document);
  return writer.finish();
}

/** Words in more than one block, of two scripts. */
export const LEXICON_ENTRIES: readonly LexiconEntry[] = [
  ...Array.from({ length: 29 }, (_, at) => ({ word: `bend${"e".repeat(at)}`, frequency: at + 1 })),
  { word: "edge", frequency: 2 },
  { word: "edges", frequency: 1 },
  { word: "light", frequency: 65_535 },
  { word: "search", frequency: 300 },
  { word: "searches", frequency: 7 },
  { word: "\u0441\u0432\u0435\u0442", frequency: 1 },
];

export function lexiconSample(): Promise<WrittenFile> {
  return writeLexicon(packLexicon(LEXICON_ENTRIES));
}

/** Documents with digests of their content. */
export async function digestsSample(): Promise<WrittenFile> {
  const writer = new DocumentsWriter();
  for (const [at, document] of DOCUMENTS.entries()) await writer.add(document, `${at}0f`.padEnd(32, "a7"));
  return writer.finish();
}

/** Three shards: one dead document in the first, none in the second, three in the last. */
export function tombstonesSample(): Promise<WrittenFile> {
  return writeTombstones([[1], [], [0, 7, 65_535]]);
}

/** One document put, one deleted, one the source's again; one write may be collected. */
export function overlaySample(): Promise<WrittenFile> {
  const write = (n: number) => `${1_700_000_000_000 + n}-${String(n).padStart(16, "0")}` as WriteId;
  return writeOverlay({
    entries: [
      { id: "a/1", write: write(1), stands: "put", source: null },
      { id: "b", write: write(2), stands: "delete", source: "0f".repeat(16) },
      { id: "\u00e9", write: write(3), stands: "source", source: null },
    ],
    folded: [write(1), write(3)],
  });
}

export interface Samples {
  readonly tokenizer: WrittenFile;
  readonly table: WrittenFile;
  readonly shard: WrittenFile;
  readonly documents: WrittenFile;
  /** Not in the manifest, which is older. */
  readonly lexicon: WrittenFile;
  readonly tombstones: WrittenFile;
  readonly overlay: WrittenFile;
  readonly clusters: WrittenFile;
  readonly manifest: Manifest;
}

export async function makeSamples(): Promise<Samples> {
  const tokenizer = await tokenizerSample();
  const table = await writeTable(tableContent(tokenizer.sha256));
  const shard = await writeShard(shardContent(tokenizer.sha256, table.sha256));
  const documents = await documentsSample();
  const model = {
    name: "tiny",
    encoder: ENCODER,
    dimension: 100,
    vocabulary: TOKENS.length,
    max_tokens: 256,
  };
  const manifest: Manifest = {
    format: 1,
    index: "docs",
    created: "2026-01-31T12:00:00.000Z",
    parent: null,
    model,
    binding: await bindingHash({
      encoder: ENCODER,
      dimension: model.dimension,
      vocabulary: model.vocabulary,
      tokenizer: tokenizer.sha256,
      tables: [table.sha256],
    }),
    tasks: [{ name: "search", query_prompt: "query: ", table: table.sha256 }],
    fusion: { rule: "minmax", weight: 0.7 },
    counts: { documents: 2, chunks: 3, rejected: 0 },
    fields: [
      { name: "title", kind: "text" },
      { name: "tags", kind: "list" },
    ],
    blobs: [
      entryOf(tokenizer, { role: "tokenizer" }),
      entryOf(table, { role: "table", task: "search" }),
      entryOf(shard, { role: "shard", ordinal: 0 }),
      entryOf(documents, { role: "documents", ordinal: 0 }),
    ],
  };
  return {
    tokenizer,
    table,
    shard,
    documents,
    lexicon: await lexiconSample(),
    tombstones: await tombstonesSample(),
    overlay: await overlaySample(),
    clusters: await writeClusters(clustersContent(table.sha256)),
    manifest,
  };
}
