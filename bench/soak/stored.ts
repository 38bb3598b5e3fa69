/**
 * The numbers that a version's files hold, in plain arrays and Maps. The file readers are the product's, and nothing
 * else is: what the numbers come to is in `plain.ts`.
 */
import { idAt } from "../../shared/format/ids.ts";
import { loadEnvelope, loadManifest } from "../../shared/format/load.ts";
import { blobsOf, type Manifest, type ShardBlob } from "../../shared/format/manifest.ts";
import { versionName } from "../../shared/format/names.ts";
import type { Pointer } from "../../shared/format/pointer.ts";
import { readShard } from "../../shared/format/shard.ts";
import { NO_ROW, readTable, rowBytes, type TableFile } from "../../shared/format/table.ts";
import { deadByShard, readTombstones } from "../../shared/format/tombstones.ts";
import { unpackRow } from "../../shared/kernels/packing.ts";
import type { ReadStore } from "../../shared/store/store.ts";

/** A chunk as it is stored: one sign and one int8 for each number. */
export interface StoredChunk {
  /** 1 where the number is positive, else 0. */
  readonly positive: Uint8Array;
  readonly factor: number;
  readonly vector: Int8Array;
  readonly scale: number;
  readonly start: number;
  readonly end: number;
}

/** A document as its shard holds it. */
export interface StoredRecord {
  readonly id: string;
  readonly chunks: readonly StoredChunk[];
  /** Stored impact by token. */
  readonly impacts: ReadonlyMap<number, number>;
}

/** A version by its stored numbers. */
export interface StoredVersion {
  /** As answers name it. */
  readonly version: string;
  readonly manifest: Manifest;
  readonly impactScale: number;
  readonly table: StoredTable;
  /** By ordinal of the shard, the documents that live. */
  readonly shards: readonly (readonly StoredRecord[])[];
}

/** A query table with its rows as numbers. */
export interface StoredTable {
  readonly padded: number;
  readonly weightScale: number;
  readonly weights: Uint16Array;
  /** The row of a token, or of a pair of tokens by `pairKey`; undefined for none. Numbers past the dimension are 0. */
  row(token: number): Float32Array | undefined;
  pair(first: number, second: number): Float32Array | undefined;
}

/** Reads versions of one index, each shard file once: the next version has most of them, too. */
export class StoredVersions {
  readonly #store: ReadStore;
  readonly #shards = new Map<string, Promise<{ records: readonly StoredRecord[]; impactScale: number }>>();
  readonly #tables = new Map<string, Promise<StoredTable>>();

  constructor(store: ReadStore) {
    this.#store = store;
  }

  /** The version that this pointer names. */
  async read({ seq, manifest: reference }: Pointer): Promise<StoredVersion> {
    const manifest = await loadManifest(this.#store, reference);
    const blobs = blobsOf(manifest, "shard");
    const [tombstones] = blobsOf(manifest, "tombstones");
    const dead =
      tombstones === undefined
        ? []
        : deadByShard(readTombstones(await loadEnvelope(this.#store, tombstones)), blobs.length);
    const shards = await Promise.all(blobs.map((blob) => this.#shard(blob)));
    return {
      version: versionName(seq, reference.sha256),
      manifest,
      impactScale: shards[0]?.impactScale ?? 1,
      table: await this.#table(manifest),
      shards: shards.map(({ records }, at) => {
        const gone = new Set(dead[at]);
        return records.filter((_, number) => !gone.has(number));
      }),
    };
  }

  #shard(blob: ShardBlob): ReturnType<typeof readRecords> {
    const known = this.#shards.get(blob.sha256);
    if (known !== undefined) return known;
    const read = readRecords(this.#store, blob);
    this.#shards.set(blob.sha256, read);
    return read;
  }

  async #table(manifest: Manifest): Promise<StoredTable> {
    const blob = blobsOf(manifest, "table")[0]!;
    const known = this.#tables.get(blob.sha256);
    if (known !== undefined) return known;
    const read = loadEnvelope(this.#store, blob).then((envelope) => plainTable(readTable(envelope)));
    this.#tables.set(blob.sha256, read);
    return read;
  }
}

async function readRecords(
  store: ReadStore,
  blob: ShardBlob,
): Promise<{ records: readonly StoredRecord[]; impactScale: number }> {
  const shard = readShard(await loadEnvelope(store, blob));
  const { padded, documents, impact_scale: impactScale } = shard.meta;
  const impacts = Array.from({ length: documents }, () => new Map<number, number>());
  shard.terms.forEach((term, t) => {
    for (let at = shard.starts[t]!; at < shard.starts[t + 1]!; at++)
      impacts[shard.rows[at]!]!.set(term, shard.impacts[at]!);
  });
  const records = impacts.map((own, document): StoredRecord => {
    const chunks: StoredChunk[] = [];
    for (let chunk = shard.owners[document]!; chunk < shard.owners[document + 1]!; chunk++) {
      const code = shard.codes.slice((chunk * padded) / 8, ((chunk + 1) * padded) / 8);
      chunks.push({
        positive: Uint8Array.from({ length: padded }, (_, j) => (code[j >> 3]! >> (j & 7)) & 1),
        factor: shard.factors[chunk]!,
        vector: shard.vectors.slice(chunk * padded, (chunk + 1) * padded),
        scale: shard.scales[chunk]!,
        start: shard.passages[2 * chunk]!,
        end: shard.passages[2 * chunk + 1]!,
      });
    }
    return { id: idAt(shard, document), chunks, impacts: own };
  });
  return { records, impactScale };
}

function plainTable({ meta, rank, phrases, rows, scales, weights }: TableFile): StoredTable {
  const { padded, bits, codebook, dimension } = meta;
  const bytes = rowBytes(padded, bits);
  const rowAt = (row: number): Float32Array => {
    const codes = unpackRow(rows.slice(row * bytes, (row + 1) * bytes), bits, padded);
    return Float32Array.from({ length: padded }, (_, j) =>
      j < dimension ? scales[row]! * (bits === 8 ? codes[j]! : codebook[codes[j]!]!) : 0,
    );
  };
  const pairs = new Map<string, number>();
  for (let k = 0; k < phrases.length / 2; k++)
    pairs.set(`${phrases[2 * k]} ${phrases[2 * k + 1]}`, meta.rows - phrases.length / 2 + k);
  return {
    padded,
    weightScale: meta.weight_scale,
    weights,
    row(token) {
      const row = rank[token] ?? NO_ROW;
      return row === NO_ROW ? undefined : rowAt(row);
    },
    pair(first, second) {
      const row = pairs.get(`${first} ${second}`);
      return row === undefined ? undefined : rowAt(row);
    },
  };
}
