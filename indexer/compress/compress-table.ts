/** A table in full precision into its file: rows ordered by use, those of pairs last, rotated values in a few bits. */
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { layoutBytes, layoutOf, rangeOf, tierOf } from "../../shared/format/row-layout.ts";
import { NO_ROW, type TableFile, type TableMeta, writeTable } from "../../shared/format/table.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import { packRow } from "../../shared/kernels/packing.ts";
import type { FloatTable } from "../fit/fit-table.ts";
import { rowsInMemory, type TableRows } from "../fit/table-rows.ts";
import { type DecodedTable, decodeTable } from "./decode-table.ts";
import { codebookOf, quantizeRow } from "./quantize-rows.ts";
import { ROTATION } from "./rotate.ts";
import { tiersOf } from "./table-size.ts";

/** A table to compress, in the rotated space. */
export interface SourceTable {
  /** Rows of tokens, all zeros for those that have none. */
  readonly rows: TableRows;
  /** First and second token of each pair with a row of its own, ascending; and those rows, pairs x dimension. */
  readonly phrases: Uint32Array<ArrayBuffer>;
  readonly phraseRows: Float32Array<ArrayBuffer>;
  /** Figures for the table's header. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What a table's file says beside its rows. */
export interface TableFacts {
  readonly encoder: Sha256;
  readonly tokenizer: Sha256;
  readonly task: string;
  readonly queryPrompt: string;
  /** How the rows came about; `fitted` when absent. */
  readonly source?: TableMeta["source"];
  /** Bits of a value, where they make the table no larger than it should be. */
  readonly bits: RowBits;
  /** Bytes of the file at most; as `tiersOf` chooses when absent. */
  readonly tableBytes?: number | undefined;
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
/** Rows of a block that are read at once. */
const BLOCK_ROWS = 1024;

/** A fitted table as one to compress. */
export function inMemory({ rows, dimension, phrases, phraseRows, figures }: FloatTable): SourceTable {
  return { rows: rowsInMemory(rows, dimension), phrases, phraseRows, figures };
}

/**
 * Compresses a table, reading its rows twice. One that would be too large gives fewer bits to rows that are used less. Tokens whose row is all zeros have none in the file. Memory: the
 * compressed rows and one block of the others.
 */
export async function compressTable(source: SourceTable, facts: TableFacts): Promise<CompressedTable> {
  const { dimension, vocabulary } = source.rows;
  const padded = Math.ceil(dimension / PADDING) * PADDING;
  const order: number[] = [];
  await eachRow(source.rows, (id, values) => {
    if (values.some((value) => value !== 0)) order.push(id);
  });
  order.sort((a, b) => facts.uses[b]! - facts.uses[a]! || a - b);
  const rank = new Uint32Array(vocabulary).fill(NO_ROW);
  order.forEach((id, row) => {
    rank[id] = row;
  });
  const pairs = source.phrases.length / 2;
  const tiers = tiersOf(
    order.map((id) => facts.uses[id]!),
    { vocabulary, pairs, padded, bits: facts.bits, tableBytes: facts.tableBytes },
  );
  const { bits, codebook } = tiers?.[0] ?? { bits: facts.bits, codebook: Array.from(codebookOf(facts.bits)) };
  const size = { rows: order.length + pairs, padded, bits, codebook, ...(tiers === null ? {} : { tiers }) };
  const layout = layoutOf(size);
  const scales = new Float32Array(size.rows);
  const rows = new Uint8Array(layoutBytes(layout));
  const wide = new Int8Array(padded);
  const put = (row: number, values: Float32Array): void => {
    const { bits } = tierOf(layout, row);
    const { start, end } = rangeOf(layout, row);
    const { codes, scale } = quantizeRow(values, bits);
    wide.set(codes);
    packRow(wide, bits, rows.subarray(start, end));
    scales[row] = scale;
  };
  await eachRow(source.rows, (id, values) => {
    if (rank[id] !== NO_ROW) put(rank[id]!, values);
  });
  for (let pair = 0; pair < pairs; pair++)
    put(order.length + pair, source.phraseRows.subarray(pair * dimension, (pair + 1) * dimension));
  const meta: TableMeta = {
    encoder: facts.encoder,
    tokenizer: facts.tokenizer,
    task: facts.task,
    query_prompt: facts.queryPrompt,
    source: facts.source ?? "fitted",
    dimension,
    padded,
    vocabulary,
    rows: size.rows,
    ...(pairs > 0 ? { phrases: pairs } : {}),
    bits,
    codebook,
    ...(tiers === null ? {} : { tiers }),
    rotation: ROTATION,
    weight_scale: WEIGHT_SCALE,
    fit: source.figures,
  };
  const weights = Uint16Array.from(facts.weights, (weight) => Math.round(weight * WEIGHT_SCALE));
  const file: TableFile = { meta, rank, phrases: source.phrases, scales, rows, weights };
  return { ...decodeTable(file), file: await writeTable(file) };
}

/** Visits every row in the order of tokens, a block in memory at a time; a row is its visitor's only until it returns. */
async function eachRow(rows: TableRows, visit: (id: number, values: Float32Array) => void): Promise<void> {
  const { vocabulary, dimension } = rows;
  for (let first = 0; first < vocabulary; first += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, vocabulary - first);
    const block = await rows.read(first, count);
    for (let at = 0; at < count; at++)
      visit(first + at, block.subarray(at * dimension, (at + 1) * dimension));
  }
}
