/**
 * Search by plain loops, Maps and sorts over the stored numbers: the dumb twin of
 * shared/engine, written from its docblocks. It shares the file readers with it and nothing
 * else: every document is scored, whatever was proposed.
 */
import { idAt } from "../../shared/format/ids.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { readShard } from "../../shared/format/shard.ts";
import { NO_ROW, readTable, rowBytes, type TableFile } from "../../shared/format/table.ts";
import { unpackRow } from "../../shared/kernels/packing.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { FusionRule, Mode } from "../../shared/types.ts";

/** What is asked for, with nothing left to defaults. */
export interface PlainRequest {
  readonly mode: Mode;
  readonly fusion: FusionRule;
  readonly weight: number;
  readonly offset: number;
  readonly limit: number;
}

/** A hit as numbers. */
export interface PlainHit {
  readonly id: string;
  readonly score: number;
  readonly dense: number;
  readonly sparse: number;
  /** The best chunk's place in its document's text. */
  readonly start: number;
  readonly end: number;
}

interface Chunk {
  readonly positive: readonly boolean[];
  readonly factor: number;
  readonly vector: readonly number[];
  readonly scale: number;
  readonly start: number;
  readonly end: number;
}

interface Document {
  readonly id: string;
  readonly chunks: readonly Chunk[];
  /** Stored impact by token. */
  readonly impacts: Map<number, number>;
}

/** A document with all its scores; `place` is its number in the index. */
interface Scored extends PlainHit {
  readonly place: number;
  /** What the first pass says: the greatest estimate of its chunks. */
  readonly estimate: number;
  /** Sum of query weight x impact in stored units. */
  readonly sum: number;
}

/** Reads an index and gives the search over its first table, by token ids. */
export async function bruteForce(
  store: ReadStore,
  manifest: Manifest,
): Promise<(ids: readonly number[], request: PlainRequest) => readonly PlainHit[]> {
  const table = readTable(await loadEnvelope(store, blobsOf(manifest, "table")[0]!));
  const documents: Document[] = [];
  let impactScale = 1;
  for (const blob of blobsOf(manifest, "shard")) {
    const shard = readShard(await loadEnvelope(store, blob));
    impactScale = shard.meta.impact_scale;
    const { padded } = shard.meta;
    for (let document = 0; document < shard.meta.documents; document++) {
      const chunks: Chunk[] = [];
      for (let chunk = shard.owners[document]!; chunk < shard.owners[document + 1]!; chunk++) {
        const code = shard.codes.slice((chunk * padded) / 8, ((chunk + 1) * padded) / 8);
        chunks.push({
          positive: Array.from(
            { length: padded },
            (_, j) => Math.floor(code[j >> 3]! / 2 ** (j & 7)) % 2 === 1,
          ),
          factor: shard.factors[chunk]!,
          vector: Array.from(shard.vectors.slice(chunk * padded, (chunk + 1) * padded)),
          scale: shard.scales[chunk]!,
          start: shard.passages[2 * chunk]!,
          end: shard.passages[2 * chunk + 1]!,
        });
      }
      const impacts = new Map<number, number>();
      shard.terms.forEach((term, t) => {
        for (let at = shard.starts[t]!; at < shard.starts[t + 1]!; at++)
          if (shard.rows[at] === document) impacts.set(term, shard.impacts[at]!);
      });
      documents.push({ id: idAt(shard, document), chunks, impacts });
    }
  }
  return (ids, request) => {
    const scored = scoreAll(documents, table, impactScale, ids);
    return ranking(scored, embed(table, ids) !== null, request);
  };
}

/** The sum of the rows of tokens and pairs in float32, each product and sum rounded; null when it is zero. */
function embed(table: TableFile, ids: readonly number[]): readonly number[] | null {
  const { meta, rank, phrases, rows, scales } = table;
  const { padded, bits, codebook, dimension } = meta;
  const sum = new Array<number>(padded).fill(0);
  const add = (row: number) => {
    const bytes = rowBytes(padded, bits);
    const codes = unpackRow(rows.slice(row * bytes, (row + 1) * bytes), bits, padded);
    for (let j = 0; j < dimension; j++) {
      const value = bits === 8 ? codes[j]! : codebook[codes[j]!]!;
      sum[j] = Math.fround(sum[j]! + Math.fround(scales[row]! * value));
    }
  };
  ids.forEach((id, at) => {
    const row = rank[id] ?? NO_ROW;
    if (row !== NO_ROW) add(row);
    for (let pair = 0; pair < phrases.length / 2; pair++) {
      if (at > 0 && phrases[2 * pair] === ids[at - 1] && phrases[2 * pair + 1] === id)
        add(meta.rows - phrases.length / 2 + pair);
    }
  });
  return sum.some((value) => value !== 0) ? sum : null;
}

function scoreAll(
  documents: readonly Document[],
  table: TableFile,
  impactScale: number,
  ids: readonly number[],
): readonly Scored[] {
  const query = embed(table, ids) ?? [];
  const greatest = Math.max(0, ...query.map(Math.abs));
  // Twelve bits for the score, four for the first pass.
  const fine = query.map((value) => Math.round(value * (2047 / greatest)));
  const coarse = query.map((value) => Math.round(value * (7 / greatest)));
  const total = coarse.reduce((sum, value) => sum + value, 0);
  const unit = 1 / ((2047 / greatest) * Math.sqrt(query.reduce((sum, value) => sum + value * value, 0)));
  return documents.map(({ id, chunks, impacts }, place) => {
    let estimate = Number.NEGATIVE_INFINITY;
    let dense = Number.NEGATIVE_INFINITY;
    let best = chunks[0]!;
    for (const chunk of query.length === 0 ? [] : chunks) {
      const inside = coarse.reduce((sum, value, j) => sum + (chunk.positive[j] ? value : 0), 0);
      estimate = Math.max(estimate, Math.fround(Math.fround(2 * inside - total) * chunk.factor));
      const dot = fine.reduce((sum, value, j) => sum + value * chunk.vector[j]!, 0);
      const score = dot * (chunk.scale * unit);
      if (score > dense) {
        dense = score;
        best = chunk;
      }
    }
    if (query.length === 0) dense = 0;
    let sum = 0;
    for (const token of ids) sum += (table.weights[token] ?? 0) * (impacts.get(token) ?? 0);
    const sparse = sum * (1 / (table.meta.weight_scale * impactScale));
    return { id, place, estimate, dense, sum, sparse, score: 0, start: best.start, end: best.end };
  });
}

/** The numbers of the documents that a side proposes, the first on a tie. */
function pool(scored: readonly Scored[], by: "estimate" | "sum", size: number): Set<number> {
  const sorted = [...scored].sort((a, b) => b[by] - a[by] || a.place - b.place);
  return new Set(sorted.slice(0, size).map(({ place }) => place));
}

function ranking(
  scored: readonly Scored[],
  hasDense: boolean,
  { mode, fusion, weight, offset, limit }: PlainRequest,
): readonly PlainHit[] {
  const matching = scored.filter(({ sum }) => sum > 0);
  const proposed = (dense: number, sparse: number) => {
    const fromDense = hasDense ? pool(scored, "estimate", dense) : new Set<number>();
    const fromSparse = pool(matching, "sum", sparse);
    if (mode === "dense") return fromDense;
    if (mode === "sparse") return fromSparse;
    return new Set([...fromDense, ...fromSparse]);
  };
  const nearPlaces = proposed(400, 200);
  const farPlaces = offset + limit > 200 ? proposed(2000, 1000) : nearPlaces;
  const near = scored.filter(({ place }) => nearPlaces.has(place));
  const far = scored.filter(({ place }) => farPlaces.has(place) && !nearPlaces.has(place));
  const dense = normal(near, "dense", fusion);
  const sparse = normal(near, "sparse", fusion);
  const withScore = (hit: Scored): Scored => ({
    ...hit,
    score: mode === "hybrid" ? weight * dense(hit) + (1 - weight) * sparse(hit) : hit[mode],
  });
  const sorted = (hits: readonly Scored[]) =>
    hits.map(withScore).sort((a, b) => b.score - a.score || a.place - b.place);
  return [...sorted(near), ...sorted(far)].slice(offset, offset + limit);
}

/** A side's score after the rule, by the near candidates alone. */
function normal(
  near: readonly Scored[],
  side: "dense" | "sparse",
  rule: FusionRule,
): (hit: Scored) => number {
  const values = near.map((hit) => hit[side]);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (rule === "rrf") {
    return (hit) => {
      const rank = 1 + values.filter((value) => value > hit[side]).length;
      return side === "sparse" && hit.sparse === 0 ? 0 : 61 / (60 + rank);
    };
  }
  if (!(high > low)) return () => 0;
  if (rule === "minmax") return (hit) => (hit[side] - low) / (high - low);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return (hit) => Math.min(1, Math.max(0, (hit[side] - mean + 3 * deviation) / (6 * deviation)));
}
