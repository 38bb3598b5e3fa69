/** Tables and shards as they lie in memory, ready for the kernels. */
import { align } from "../format/bytes.ts";
import { openStreamed } from "../format/load.ts";
import type { BlobEntry } from "../format/manifest.ts";
import { readShard, readShardMeta, type ShardMeta } from "../format/shard.ts";
import { AS_ONE, type SpaceOf, type StreamLimits } from "../format/streamed.ts";
import { readTable, readTableMeta, rowBytes, type TableMeta, tokenRows } from "../format/table.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
import type { ReadStore } from "../store/store.ts";
import { type Phrases, phrasesOf } from "./phrases.ts";

/** A query table in its own kernel memory. */
export interface ResidentTable {
  readonly meta: TableMeta;
  readonly kernels: Kernels;
  /** Row of each token id, `NO_ROW` where it has none. */
  readonly rank: Uint32Array<ArrayBuffer>;
  /** Pairs of neighbouring tokens with a row: pair k has row `firstPhrase + k`. */
  readonly phrases: Phrases;
  readonly firstPhrase: number;
  readonly scales: Float32Array<ArrayBuffer>;
  /** Sparse weight of each token id times `meta.weight_scale`. */
  readonly weights: Uint16Array<ArrayBuffer>;
  /** Packed rows, the codebook, and float32 space for the sum of a query's rows. */
  readonly rows: Pointer;
  readonly codebook: Pointer;
  readonly sum: Pointer;
}

/** A shard in its own kernel memory. */
export interface ResidentShard {
  readonly meta: ShardMeta;
  readonly kernels: Kernels;
  /** First chunk of each document, one entry more than there are documents. */
  readonly owners: Uint32Array<ArrayBuffer>;
  /** `[start, end)` pairs of the chunks in their documents' texts, UTF-16 units. */
  readonly passages: Uint32Array<ArrayBuffer>;
  /** Scale of each chunk's int8 vector. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** Ids in UTF-8 back to back, with where each starts. */
  readonly ids: Uint8Array<ArrayBuffer>;
  readonly idStarts: Uint32Array<ArrayBuffer>;
  /** Block and record of each document. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Tokens with postings, ascending, and where each one's postings start. */
  readonly terms: Uint32Array<ArrayBuffer>;
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly codes: Pointer;
  readonly factors: Pointer;
  readonly vectors: Pointer;
  readonly postingRows: Pointer;
  readonly impacts: Pointer;
  /** Space that a query works in. */
  readonly work: {
    readonly planes: Pointer;
    readonly query: Pointer;
    readonly estimates: Pointer;
    readonly scores: Pointer;
    readonly rows: Pointer;
    readonly dots: Pointer;
  };
}

/** Reads a table to where it stays. Throws what `openStreamed`, its reading and `readTable` throw. */
export async function loadTable(
  store: ReadStore,
  entry: BlobEntry,
  kernels: Kernels,
  limits: StreamLimits = AS_ONE,
): Promise<ResidentTable> {
  const file = await openStreamed(store, entry, limits);
  const { padded } = readTableMeta(file.meta);
  const at = claim(kernels, { rows: file.bytes("rows"), codebook: 16, sum: padded * 4 });
  const table = readTable(await file.readInto(spaceIn(kernels, { rows: at.rows })));
  kernels.bytes(at.codebook, 16).set(Uint8Array.from(table.meta.codebook, (value) => value & 0xff));
  const { meta, rank, scales, weights } = table;
  const phrases = phrasesOf(table.phrases);
  return { meta, kernels, rank, phrases, firstPhrase: tokenRows(meta), scales, weights, ...at };
}

/** Where the packed row with this number starts. */
export function rowPointer(table: ResidentTable, row: number): Pointer {
  return table.rows + row * rowBytes(table.meta.padded, table.meta.bits);
}

/** Reads a shard to where it stays. Throws what `openStreamed`, its reading and `readShard` throw. */
export async function loadShard(
  store: ReadStore,
  entry: BlobEntry,
  kernels: Kernels,
  limits: StreamLimits = AS_ONE,
): Promise<ResidentShard> {
  const file = await openStreamed(store, entry, limits);
  const { chunks, documents, padded } = readShardMeta(file.meta);
  const at = claim(kernels, {
    // First in memory: with 65,536 sums' worth of anything behind it, no posting can point outside,
    // and the kernels need not look at every row number of a list before they add it up.
    scores: documents * 4,
    codes: file.bytes("codes"),
    factors: file.bytes("factors"),
    vectors: file.bytes("vectors"),
    postingRows: file.bytes("rows"),
    impacts: file.bytes("impacts"),
    planes: padded / 2,
    query: padded * 2,
    estimates: chunks * 4,
    rows: chunks * 4,
    dots: chunks * 4,
  });
  const { codes, factors, vectors, postingRows, impacts, ...work } = at;
  const space = spaceIn(kernels, { codes, factors, vectors, rows: postingRows, impacts });
  const { meta, owners, passages, scales, ids, idStarts, places, terms, starts } = readShard(
    await file.readInto(space),
  );
  return {
    meta,
    kernels,
    owners,
    passages,
    scales,
    ids,
    idStarts,
    places,
    terms,
    starts,
    codes,
    factors,
    vectors,
    postingRows,
    impacts,
    work,
  };
}

/**
 * Space for all of these lengths, one after the other as they are named. Made at once: memory that
 * grows step by step may be there twice at each step, and a view made before is none after.
 */
function claim<Name extends string>(
  kernels: Kernels,
  lengths: Readonly<Record<Name, number>>,
): Readonly<Record<Name, Pointer>> {
  const names = Object.keys(lengths) as Name[];
  const offsets = new Map<Name, number>();
  let end = 0;
  for (const name of names) {
    offsets.set(name, end);
    end += align(lengths[name]);
  }
  const start = kernels.allocate(end);
  return Object.fromEntries(names.map((name) => [name, start + offsets.get(name)!])) as Record<Name, Pointer>;
}

/** Sections that kernels read go to their pointer, all others to an array of their own. */
function spaceIn(kernels: Kernels, pointers: Readonly<Record<string, Pointer>>): SpaceOf {
  return (name, bytes) => {
    const pointer = pointers[name];
    return pointer === undefined ? new Uint8Array(bytes) : kernels.bytes(pointer, bytes);
  };
}

/** Bytes that this table holds. */
export function residentTableBytes(table: ResidentTable): number {
  return (
    table.kernels.residentBytes +
    table.rank.byteLength +
    8 * table.phrases.count +
    table.scales.byteLength +
    table.weights.byteLength
  );
}

/** Bytes that this shard holds. */
export function residentShardBytes(shard: ResidentShard): number {
  const views = [
    shard.owners,
    shard.passages,
    shard.scales,
    shard.ids,
    shard.idStarts,
    shard.places,
    shard.terms,
    shard.starts,
  ];
  return views.reduce((bytes, view) => bytes + view.byteLength, shard.kernels.residentBytes);
}
