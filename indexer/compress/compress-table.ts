/** A table in full precision into its file: rows ordered by use, those of pairs last, rotated values in a few bits. */
import { phrasesOf } from "../../shared/engine/phrases.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { NO_ROW, rowBytes, type TableFile, type TableMeta, writeTable } from "../../shared/format/table.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import { packRow } from "../../shared/kernels/packing.ts";
import type { FloatTable } from "../fit/fit-table.ts";
import type { DecodedTable } from "./decode-table.ts";
import { codebookOf, quantizeRow } from "./quantize-rows.ts";
import { ROTATION } from "./rotate.ts";

/** What a table's file says beside its rows. */
export interface TableFacts {
  readonly encoder: Sha256;
  readonly tokenizer: Sha256;
  readonly task: string;
  readonly queryPrompt: string;
  readonly bits: RowBits;
  /** Uses of each token id: rows are stored most used first, ties by id. */
  readonly uses: Uint32Array;
  /** Sparse weight of each token id, at least 0. */
  readonly weights: Float64Array;
}

/** A finished table: its file, and its rows as the edge will decode them. */
export interface CompressedTable extends DecodedTable {
  readonly file: WrittenFile;
}

/** Stored weights are weights times this: idf stays below 16. */
const WEIGHT_SCALE = 1000;
/** Vectors are stored in multiples of this many values, what the kernels take at a time. */
const PADDING = 128;

/** Compresses a table. Tokens whose row is all zeros have none in the file. */
export async function compressTable(table: FloatTable, facts: TableFacts): Promise<CompressedTable> {
  const { dimension } = table;
  const vocabulary = facts.weights.length;
  const padded = Math.ceil(dimension / PADDING) * PADDING;
  const rowOf = (id: number) => table.rows.subarray(id * dimension, (id + 1) * dimension);
  const order = Array.from({ length: vocabulary }, (_, id) => id)
    .filter((id) => rowOf(id).some((value) => value !== 0))
    .sort((a, b) => facts.uses[b]! - facts.uses[a]! || a - b);
  const codebook = codebookOf(facts.bits);
  const bytes = rowBytes(padded, facts.bits);
  const pairs = table.phrases.length / 2;
  const rank = new Uint32Array(vocabulary).fill(NO_ROW);
  const scales = new Float32Array(order.length + pairs);
  const rows = new Uint8Array(scales.length * bytes);
  const wide = new Int8Array(padded);
  const put = (row: number, values: Float32Array, decoded: Float32Array): void => {
    const { codes, scale } = quantizeRow(values, facts.bits);
    wide.set(codes);
    packRow(wide, facts.bits, rows.subarray(row * bytes, (row + 1) * bytes));
    scales[row] = scale;
    codes.forEach((code, j) => {
      decoded[j] = scale * (facts.bits === 8 ? code : codebook[code]!);
    });
  };
  const decoded = new Float32Array(vocabulary * dimension);
  order.forEach((id, row) => {
    rank[id] = row;
    put(row, rowOf(id), decoded.subarray(id * dimension, (id + 1) * dimension));
  });
  const decodedPhrases = new Float32Array(table.phraseRows.length);
  for (let pair = 0; pair < pairs; pair++) {
    const [start, end] = [pair * dimension, (pair + 1) * dimension];
    put(order.length + pair, table.phraseRows.subarray(start, end), decodedPhrases.subarray(start, end));
  }
  const meta: TableMeta = {
    encoder: facts.encoder,
    tokenizer: facts.tokenizer,
    task: facts.task,
    query_prompt: facts.queryPrompt,
    source: "fitted",
    dimension,
    padded,
    vocabulary,
    rows: scales.length,
    ...(pairs > 0 ? { phrases: pairs } : {}),
    bits: facts.bits,
    codebook: Array.from(codebook),
    rotation: ROTATION,
    weight_scale: WEIGHT_SCALE,
    fit: table.figures,
  };
  const weights = Uint16Array.from(facts.weights, (weight) => Math.round(weight * WEIGHT_SCALE));
  const file: TableFile = { meta, rank, phrases: table.phrases, scales, rows, weights };
  const phrases = phrasesOf(table.phrases);
  return { file: await writeTable(file), dimension, decoded, phrases, decodedPhrases };
}
