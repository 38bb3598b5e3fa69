/**
 * Recomputes the answers of a tiny index from the documents it is said to hold, one after the other in double
 * precision: no shard, no posting, no dead document, no pool. What it takes from the index is the
 * query table, which is fitted and not computed, and three numbers of the manifest.
 */
import { decodeTable, sumOfRows } from "../../indexer/compress/decode-table.ts";
import { createRotation, ROTATION } from "../../indexer/compress/rotate.ts";
import type { SourceDocument } from "../../indexer/sources/source.ts";
import { MIX } from "../../indexer/stages/mix.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { readTable, type TableFile } from "../../shared/format/table.ts";
import { chunkDocument } from "../../shared/segment/chunk.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Hit } from "../../shared/types.ts";
import { TINY_TOKENIZER, tinyEncoder } from "../helpers/tiny-encoder.ts";
import { openTiny } from "./tiny.ts";

/** What a vector of eight bits and a query of twelve may be off, as a share of the score. */
export const TOLERANCE = 0.02;
/** BM25 and the share of learned impacts, as docs/method.md has them. */
const [K1, B, ALPHA] = [0.9, 0.4, 0.5];

const tokenizer = loadTokenizer(TINY_TOKENIZER);

/** What a document's own words and vectors come to. */
export interface Weighed {
  readonly id: string;
  /** Unit vectors of its chunks, in the space of the table. */
  readonly chunks: readonly Float64Array[];
  /** Stored impact of each token. */
  readonly impacts: ReadonlyMap<number, number>;
}

/** Scores in real units, in double precision. */
export interface Scores {
  readonly dense: number;
  readonly sparse: number;
}

/** What the index of a store says otherwise than these documents would; empty for a sound one. */
export async function audit(
  store: ReadStore,
  documents: readonly SourceDocument[],
  queries: readonly string[],
): Promise<readonly string[]> {
  const index = await openTiny(store);
  const { manifest } = index;
  const table = readTable(await loadEnvelope(store, blobsOf(manifest, "table")[0]!));
  const weighed = await Promise.all(documents.map((document) => weigh(document, table, manifest)));
  const wrong: string[] = [];
  for (const q of queries) {
    const request = { q, mode: "hybrid", limit: 100, offset: 0, explain: false, typos: false } as const;
    const { hits } = await index.search(request);
    wrong.push(
      ...compare(hits, score(weighed, table, q), manifest.fusion.weight).map((what) => `"${q}": ${what}`),
    );
  }
  return wrong;
}

const tables = new WeakMap<TableFile, ReturnType<typeof decodeTable>>();

function decodedOnce(table: TableFile): ReturnType<typeof decodeTable> {
  const known = tables.get(table) ?? decodeTable(table);
  tables.set(table, known);
  return known;
}

/** Weighs a document for a version with this table and manifest. Cost: encoding it. */
export async function weigh(
  document: SourceDocument,
  table: TableFile,
  { build }: Manifest,
): Promise<Weighed> {
  const encoder = tinyEncoder();
  const maxTokens = encoder.model.maxTextTokens("search", "document");
  const countTokens = (text: string) => tokenizer.ids(text).length;
  const texts = chunkDocument(document, { countTokens, maxTokens, overlapTokens: 0 }).map(({ text }) => text);
  const encodings = await encoder.encode(texts, {
    dense: true,
    sparse: true,
    role: "document",
    task: "search",
  });
  const decoded = decodedOnce(table);
  const { dimension } = decoded;
  const rotation = createRotation(ROTATION, dimension);
  const learned = new Map<number, number>();
  const chunks = encodings.map(({ dense, sparse }, at) => {
    sparse!.ids.forEach((id, i) => {
      learned.set(id, Math.max(learned.get(id) ?? 0, sparse!.values[i]!));
    });
    const rotated = dense!.slice();
    rotation.apply(rotated, 0);
    const sum = new Float64Array(dimension);
    for (const id of tokenizer.ids(texts[at]!, maxTokens)) {
      for (let j = 0; j < dimension; j++) sum[j]! += decoded.row(id)[j]!;
    }
    const own = unit(sum);
    return unit(Float64Array.from(rotated, (value, j) => value + MIX * own[j]!));
  });
  const { title = "", text = "" } = document.fields as { readonly title?: string; readonly text?: string };
  const tokens = tokenizer.ids(`${title} ${text}`.trim());
  const impacts = new Map<number, number>();
  const norm = K1 * (1 - B + (B * tokens.length) / build!.mean_length);
  for (const id of new Set([...tokens, ...learned.keys()])) {
    const count = tokens.filter((token) => token === id).length;
    const value = (count * (K1 + 1)) / (count + norm) + ALPHA * (learned.get(id) ?? 0);
    impacts.set(
      id,
      Math.max(1, Math.min(255, Math.round(value * build!.impact_scale))) / build!.impact_scale,
    );
  }
  return { id: document.id, chunks, impacts };
}

/** The scores of all documents that a query proposes, by id. */
export function score(
  documents: readonly Weighed[],
  table: TableFile,
  q: string,
): ReadonlyMap<string, Scores> {
  const ids = tokenizer.ids(q);
  const query = unit(sumOfRows(decodedOnce(table), ids));
  const isDense = query.some((value) => value !== 0);
  const scores = new Map<string, Scores>();
  for (const { id, chunks, impacts } of documents) {
    const cosines = chunks.map((chunk) => chunk.reduce((sum, value, j) => sum + value * query[j]!, 0));
    const dense = isDense ? Math.max(...cosines) : 0;
    const weight = (token: number) => table.weights[token]! / table.meta.weight_scale;
    const sparse = ids.reduce((sum, token) => sum + weight(token) * (impacts.get(token) ?? 0), 0);
    if (isDense || sparse > 0) scores.set(id, { dense, sparse });
  }
  return scores;
}

function compare(hits: readonly Hit[], expected: ReadonlyMap<string, Scores>, weight: number): string[] {
  const wrong: string[] = [];
  const found = new Set(hits.map(({ id }) => id));
  if (found.size !== hits.length) wrong.push("a document is there twice");
  for (const id of expected.keys()) if (!found.has(id)) wrong.push(`${id} is missing`);
  const all = [...expected.values()];
  const share = (side: keyof Scores, value: number): number => {
    const values = all.map((each) => each[side]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return high > low ? (value - low) / (high - low) : 0;
  };
  let before: Hit | undefined;
  for (const hit of hits) {
    const scores = expected.get(hit.id);
    if (scores === undefined) {
      wrong.push(`${hit.id} should not be there`);
      continue;
    }
    const fused = weight * share("dense", scores.dense) + (1 - weight) * share("sparse", scores.sparse);
    if (!near(hit.dense, scores.dense, 1))
      wrong.push(`${hit.id} has ${hit.dense} for ${scores.dense} by meaning`);
    const largest = Math.max(1, scores.sparse);
    if (!near(hit.sparse, scores.sparse, largest))
      wrong.push(`${hit.id} has ${hit.sparse} for ${scores.sparse} by words`);
    if (!near(hit.score, fused, 4)) wrong.push(`${hit.id} has the score ${hit.score} for ${fused}`);
    if (before !== undefined && before.score < hit.score) wrong.push(`${hit.id} comes too late`);
    before = hit;
  }
  return wrong;
}

function near(a: number, b: number, size: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * size;
}

function unit(values: Float64Array): Float64Array {
  const length = Math.hypot(...values);
  return length > 0 ? values.map((value) => value / length) : values;
}
