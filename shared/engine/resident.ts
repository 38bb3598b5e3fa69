/** Tables and shards as they lie in memory, ready for the kernels. */
import type { ShardFile, ShardMeta } from "../format/shard.ts";
import { rowBytes, type TableFile, type TableMeta, tokenRows } from "../format/table.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
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

/** Copies a table into kernel memory; the file's bytes can be dropped afterwards. */
export function residentTable(file: TableFile, kernels: Kernels): ResidentTable {
  const { meta } = file;
  const rows = kernels.allocate(file.rows.length);
  const codebook = kernels.allocate(16);
  const sum = kernels.allocate(meta.padded * 4);
  kernels.bytes(rows, file.rows.length).set(file.rows);
  kernels.bytes(codebook, 16).set(Uint8Array.from(meta.codebook, (value) => value & 0xff));
  return {
    meta,
    kernels,
    rank: file.rank.slice(),
    phrases: phrasesOf(file.phrases.slice()),
    firstPhrase: tokenRows(meta),
    scales: file.scales.slice(),
    weights: file.weights.slice(),
    rows,
    codebook,
    sum,
  };
}

/** Where the packed row with this number starts. */
export function rowPointer(table: ResidentTable, row: number): Pointer {
  return table.rows + row * rowBytes(table.meta.padded, table.meta.bits);
}

/** Copies a shard into kernel memory; the file's bytes can be dropped afterwards. */
export function residentShard(file: ShardFile, kernels: Kernels): ResidentShard {
  const { chunks, documents, padded } = file.meta;
  // First in memory: with 65,536 sums' worth of anything behind it, no posting can point outside,
  // and the kernels need not look at every row number of a list before they add it up.
  const scores = kernels.allocate(documents * 4);
  const put = (bytes: Uint8Array<ArrayBuffer>): Pointer => {
    const pointer = kernels.allocate(bytes.length);
    kernels.bytes(pointer, bytes.length).set(bytes);
    return pointer;
  };
  return {
    meta: file.meta,
    kernels,
    owners: file.owners.slice(),
    passages: file.passages.slice(),
    scales: file.scales.slice(),
    ids: file.ids.slice(),
    idStarts: file.idStarts.slice(),
    places: file.places.slice(),
    terms: file.terms.slice(),
    starts: file.starts.slice(),
    codes: put(file.codes),
    factors: put(raw(file.factors)),
    vectors: put(raw(file.vectors)),
    postingRows: put(raw(file.rows)),
    impacts: put(file.impacts),
    work: {
      planes: kernels.allocate(padded / 2),
      query: kernels.allocate(padded * 2),
      estimates: kernels.allocate(chunks * 4),
      scores,
      rows: kernels.allocate(chunks * 4),
      dots: kernels.allocate(chunks * 4),
    },
  };
}

function raw(view: Float32Array<ArrayBuffer> | Int8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
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
