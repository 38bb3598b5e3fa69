/** The table of an index in float32: what the engine adds up for a query, before it rounds the sum. */
import { encodeQuery } from "../../../shared/engine/encode-query.ts";
import { residentTable } from "../../../shared/engine/resident.ts";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { readTable } from "../../../shared/format/table.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import type { ReadStore } from "../../../shared/store/store.ts";

/** A table that is read row by row. */
export interface QueryTable {
  readonly dimension: number;
  /** Row of each token: vocabulary x dimension, row-major, rotated; zeros for tokens without a row. */
  readonly rows: Float32Array<ArrayBuffer>;
  /** Unit vector of a query of these tokens in this order; zeros where none has a row. */
  encode(ids: readonly number[]): Float32Array<ArrayBuffer>;
}

/** Bytes of the largest table. */
const TABLE_BYTES = 1 << 30;

/** Reads the table of the index's first task. */
export async function readQueryTable(store: ReadStore, manifest: Manifest): Promise<QueryTable> {
  const { table } = manifest.tasks[0]!;
  const blob = blobsOf(manifest, "table").find(({ sha256 }) => sha256 === table)!;
  const file = readTable(await loadEnvelope(store, blob));
  const resident = residentTable(file, createReferenceKernels(TABLE_BYTES));
  const { dimension, vocabulary } = file.meta;
  const sum = (ids: readonly number[]) => {
    encodeQuery(resident, ids);
    return resident.kernels.floats(resident.sum, dimension);
  };
  const rows = new Float32Array(vocabulary * dimension);
  for (let id = 0; id < vocabulary; id++) rows.set(sum([id]), id * dimension);
  return { dimension, rows, encode: (ids) => unit(sum(ids)) };
}

function unit(vector: Float32Array): Float32Array<ArrayBuffer> {
  const norm = Math.sqrt(vector.reduce((squares, value) => squares + value * value, 0));
  return Float32Array.from(vector, (value) => (norm > 0 ? value / norm : 0));
}
