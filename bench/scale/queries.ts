/** Real questions, encoded both ways: by the index's table, as a search does, and by the full encoder. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRotation, ROTATION } from "../../indexer/compress/rotate.ts";
import { nodePorts } from "../../indexer/engine-node.ts";
import { readTestCollection } from "../../indexer/evaluate/collection.ts";
import { encodeQuery, quantizeQuery } from "../../shared/engine/encode-query.ts";
import type { EncodedQuery } from "../../shared/engine/encoded-query.ts";
import { loadTable } from "../../shared/engine/resident-table.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Scale } from "./prepare.ts";

const COLLECTIONS = fileURLToPath(new URL("../../../shared/collections", import.meta.url));
const TABLE_BYTES = 1 << 28;

/** A query as both sides of a comparison take it. */
export interface QueryForms {
  readonly text: string;
  /** As shards take it: dense and sparse. */
  readonly encoded: EncodedQuery;
  /** The unit vector, rotated as the documents are. */
  readonly vector: Float32Array<ArrayBuffer>;
}

/** How a query's vector was made. */
export type QueryEncoding = "table" | "encoder";

/** So many questions of medquad, scifact and nq-qed in turn, evenly spread over each; with a `shift` those that follow them there. */
export async function queryTexts(count: number, shift = 0, folder = COLLECTIONS): Promise<readonly string[]> {
  const lists = await Promise.all(
    ["medquad", "scifact", "nq-qed"].map(async (name) =>
      (await readTestCollection(join(folder, name))).queries.map(({ text }) => text),
    ),
  );
  return Array.from({ length: count }, (_, at) => {
    const list = lists[at % lists.length]!;
    const each = Math.ceil(count / lists.length);
    return list[(Math.floor((Math.floor(at / lists.length) * list.length) / each) + shift) % list.length]!;
  });
}

/** The queries with the vectors that the table and the full encoder give them; sparse sides are the table's in both. */
export async function encodeQueries(
  scale: Scale,
  texts: readonly string[],
): Promise<Readonly<Record<QueryEncoding, readonly QueryForms[]>>> {
  const { encoder, manifest, store } = scale;
  const { dimension } = encoder.model.description;
  const ports = await nodePorts(store);
  const table = await loadTable(store, blobsOf(manifest, "table")[0]!, ports.kernels(TABLE_BYTES));
  const tokenizer = loadTokenizer(encoder.model.tokenizer);
  const rotation = createRotation(ROTATION, dimension);
  const task = manifest.tasks[0]!.name;
  const byTable = texts.map((text) => {
    const encoded = encodeQuery(table, tokenizer.ids(text));
    return { text, encoded, vector: unit(table.kernels.floats(table.sum, dimension)) };
  });
  const encodings = await encoder.encode(texts, { role: "query", task, dense: true, sparse: false });
  const byEncoder = byTable.map(({ text, encoded }, at) => {
    const vector = Float32Array.from(encodings[at]!.dense!);
    rotation.apply(vector, 0);
    const padded = new Float32Array(table.meta.padded);
    padded.set(unit(vector));
    return { text, encoded: { ...encoded, dense: quantizeQuery(padded) }, vector: unit(vector) };
  });
  return { table: byTable, encoder: byEncoder };
}

/** A copy of length 1. */
function unit(vector: Float32Array): Float32Array<ArrayBuffer> {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(vector, (value) => value / norm);
}
