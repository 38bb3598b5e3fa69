/** The table file: one row per token, from which queries are made. docs/format.md section 6. */

import type { Sha256 } from "../hash.ts";
import type { RowBits } from "../kernels/kernels.ts";
import { rowBytes } from "../kernels/packing.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { bytesOf, checkScales, float32s, invalid, isZero, uint8s, uint16s, uint32s } from "./bytes.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import type { ByteRange } from "./plan.ts";
import { layoutBytes, layoutOf, type RowTier, rangeOf } from "./row-layout.ts";
import { dictionary, digest, integer, list, number, object, oneOf, text } from "./shape.ts";

// Whoever reads a table's rows needs it.
export { rowBytes };

/** The orthogonal map that spreads a vector's energy evenly before it is quantised. */
export interface Rotation {
  readonly kind: "hadamard";
  /** Seed of the random signs, 0 to 2^32 - 1. */
  readonly seed: number;
  /** Times that signs and transform are applied. */
  readonly rounds: number;
}

/** What a table says about itself. */
export interface TableMeta {
  /** Digest of the document encoder's files. */
  readonly encoder: Sha256;
  /** Digest of the tokenizer file whose ids the rows belong to. */
  readonly tokenizer: Sha256;
  /** The task this table serves, and the prompt the encoder put before its texts. */
  readonly task: string;
  readonly query_prompt: string;
  /** How the rows came about: docs/method.md. */
  readonly source: "fitted" | "cached" | "distilled";
  /** Numbers in the encoder's vectors. */
  readonly dimension: number;
  /** Numbers in a stored row: the least multiple of 128 not below `dimension`, or a greater one. */
  readonly padded: number;
  /** Token ids are 0 to `vocabulary` - 1. */
  readonly vocabulary: number;
  /** Rows of tokens and of pairs together. */
  readonly rows: number;
  /** Pairs of neighbouring tokens with a row: the last rows are theirs. Absent means none. */
  readonly phrases?: number;
  /** Bits a value; of the first tier where there are several. */
  readonly bits: RowBits;
  /** Value of each code, int8, 16 of them; those past 2^bits, and all for 8 bits, are zero. */
  readonly codebook: readonly number[];
  /** Runs of rows with their own bits, which lie in pages; absent where all rows have `bits` and lie one after the other. */
  readonly tiers?: readonly RowTier[];
  readonly rotation: Rotation;
  /** A token's sparse weight is its stored number divided by this. */
  readonly weight_scale: number;
  /** Figures of the fit by name (residuals, texts, lambda, iterations), for people only. */
  readonly fit: Readonly<Record<string, number>>;
}

/** A table, as it is written and read. */
export interface TableFile {
  readonly meta: TableMeta;
  /** Row of each token id, `NO_ROW` where it has none. Every row before the pairs' belongs to exactly one token. */
  readonly rank: Uint32Array<ArrayBuffer>;
  /** First and second token of each pair, ascending: pair k has row `rows - phrases + k`. */
  readonly phrases: Uint32Array<ArrayBuffer>;
  /** Scale of each row. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** Packed rows as `layoutOf` places them, the most frequent token's first. */
  readonly rows: Uint8Array<ArrayBuffer>;
  /** Sparse weight of each token id times `weight_scale`, at most `MAX_WEIGHT`. */
  readonly weights: Uint16Array<ArrayBuffer>;
}

/** The rank of a token without a row. */
export const NO_ROW = 0xffffffff;

/** Greatest stored weight: 512 tokens x 16,383 x impact 255 stays below 2^31, the range of a kernel's sums. */
export const MAX_WEIGHT = 16_383;

/** Tiers of a table: one for each number of bits, and one for pairs. */
const MOST_TIERS = 8;

const bitsOfRow = oneOf([1, 2, 3, 4, 8]);
const codes = list(integer(-128, 127), 16, 16);

const checkMeta = object<TableMeta>(
  {
    encoder: digest,
    tokenizer: digest,
    task: text(64, 1),
    query_prompt: text(2048),
    source: oneOf(["fitted", "cached", "distilled"]),
    dimension: integer(1, FORMAT_LIMITS.dimension),
    padded: integer(128, FORMAT_LIMITS.dimension),
    vocabulary: integer(1, FORMAT_LIMITS.vocabulary),
    rows: integer(0, FORMAT_LIMITS.vocabulary + FORMAT_LIMITS.phrases),
    phrases: integer(1, FORMAT_LIMITS.phrases),
    bits: bitsOfRow,
    codebook: codes,
    tiers: list(
      object<RowTier>({
        rows: integer(1, FORMAT_LIMITS.vocabulary + FORMAT_LIMITS.phrases),
        bits: bitsOfRow,
        codebook: codes,
      }),
      MOST_TIERS,
      1,
    ),
    rotation: object<Rotation>({
      kind: oneOf(["hadamard"]),
      seed: integer(0, 0xffffffff),
      rounds: integer(1, 8),
    }),
    weight_scale: number(2 ** -20, 2 ** 20),
    fit: dictionary(number(-Number.MAX_VALUE, Number.MAX_VALUE), 32),
  },
  ["phrases", "tiers"],
);

/** Where row `row` lies in the section `rows`. */
export function rowRange(meta: TableMeta, row: number): ByteRange {
  return rangeOf(layoutOf(meta), row);
}

/** A table as a file. Throws `format/invalid` for what `readTable` would refuse. */
export async function writeTable(table: TableFile): Promise<WrittenFile> {
  checkTable(table);
  const { tiers, ...meta } = table.meta;
  const rows = { name: "rows", bytes: table.rows };
  // Pages are blocks of the file where they begin with its body.
  const paged = tiers !== undefined;
  const own = {
    ...{ ...meta, rotation: { ...meta.rotation } },
    ...(paged ? { tiers: tiers.map((tier) => ({ ...tier })) } : {}),
  };
  return writeEnvelope("table", own, [
    ...(paged ? [rows] : []),
    { name: "rank", bytes: bytesOf(table.rank) },
    { name: "scales", bytes: bytesOf(table.scales) },
    { name: "weights", bytes: bytesOf(table.weights) },
    ...(table.phrases.length > 0 ? [{ name: "phrases", bytes: bytesOf(table.phrases) }] : []),
    ...(paged ? [] : [rows]),
  ]);
}

/** A table without its rows. */
export type TableColumns = Omit<TableFile, "rows">;

/** The table of an open file: views of its bytes. Throws `format/invalid` where a rule of section 6 is broken. */
export function readTable(envelope: Envelope): TableFile {
  const columns = readColumns(envelope.meta, envelope.section);
  const bytes = layoutBytes(layoutOf(columns.meta));
  const table = { ...columns, rows: uint8s(envelope.section("rows"), bytes, "table section rows") };
  checkPages(table);
  return table;
}

/** The columns of a table whose rows are read elsewhere; `section` gives their bytes. Throws as `readTable`. */
export function readColumns(
  value: unknown,
  section: (name: string) => Uint8Array<ArrayBuffer>,
): TableColumns {
  const meta = readTableMeta(value);
  const columns: TableColumns = {
    meta,
    rank: uint32s(section("rank"), meta.vocabulary, "table section rank"),
    phrases:
      meta.phrases === undefined
        ? new Uint32Array(0)
        : uint32s(section("phrases"), 2 * meta.phrases, "table section phrases"),
    scales: float32s(section("scales"), meta.rows, "table section scales"),
    weights: uint16s(section("weights"), meta.vocabulary, "table section weights"),
  };
  checkColumns(columns);
  return columns;
}

/** The checked meta of a table file, whole or ranged. */
export function readTableMeta(value: unknown): TableMeta {
  const meta = checkMeta(value, "table");
  if (meta.padded % 128 !== 0 || meta.padded < meta.dimension) {
    throw invalid(`table.padded must be a multiple of 128 not below the dimension, not ${meta.padded}.`);
  }
  const tokens = tokenRows(meta);
  if (tokens < 0 || tokens > meta.vocabulary) {
    throw invalid(
      `table.rows must be at least the phrases and at most vocabulary and phrases together, not ${meta.rows}.`,
    );
  }
  checkTiers(meta);
  return meta;
}

/** All rows must be in a tier, and those of pairs, which a reader keeps however little it keeps, in tiers of their own. */
function checkTiers({ tiers, rows, phrases = 0, bits, codebook }: TableMeta): void {
  if (tiers === undefined) return;
  const ends = tiers.map((_, at) => tiers.slice(0, at + 1).reduce((sum, tier) => sum + tier.rows, 0));
  if (ends.at(-1) !== rows)
    throw invalid(`table.tiers hold ${ends.at(-1)} rows, where the table has ${rows}.`);
  if (phrases > 0 && phrases < rows && !ends.includes(rows - phrases))
    throw invalid(`table.tiers: none begins with row ${rows - phrases}, the first of a pair.`);
  const first = tiers[0]!;
  if (first.bits !== bits || first.codebook.some((value, code) => value !== codebook[code]))
    throw invalid("table.tiers[0] must have the table's own bits and codebook.");
}

/** Rows of single tokens: they come before those of pairs. */
export function tokenRows(meta: Pick<TableMeta, "rows" | "phrases">): number {
  return meta.rows - (meta.phrases ?? 0);
}

function checkTable(table: TableFile): void {
  const bytes = layoutBytes(layoutOf(readTableMeta(table.meta)));
  checkLength("rows", table.rows.length, bytes);
  checkColumns(table);
  checkPages(table);
}

function checkColumns(table: TableColumns): void {
  const { meta } = table;
  checkLength("rank", table.rank.length, meta.vocabulary);
  checkLength("weights", table.weights.length, meta.vocabulary);
  checkLength("phrases", table.phrases.length, 2 * (meta.phrases ?? 0));
  checkLength("scales", table.scales.length, meta.rows);
  checkScales(table.scales, "table section scales", "refused");
  checkRank(table.rank, tokenRows(meta));
  checkPhrases(table.phrases, meta.vocabulary);
  const heavy = table.weights.findIndex((weight) => weight > MAX_WEIGHT);
  if (heavy >= 0) throw invalid(`table section weights: token ${heavy} is above ${MAX_WEIGHT}.`);
}

function checkLength(name: string, found: number, wanted: number): void {
  if (found !== wanted) throw invalid(`table section ${name} holds ${found}, where ${wanted} are needed.`);
}

/** What a page holds beside rows must be zero. */
function checkPages({ meta, rows }: TableFile): void {
  if (meta.tiers === undefined) return;
  for (const tier of layoutOf(meta)) {
    for (let page = tier.start; page < tier.stop; page += FORMAT_LIMITS.blockBytes) {
      const before = ((page - tier.start) / FORMAT_LIMITS.blockBytes) * tier.perPage;
      const held = Math.min(tier.perPage, tier.end - tier.first - before);
      if (!isZero(rows, page + held * tier.bytes, page + FORMAT_LIMITS.blockBytes))
        throw invalid(`table section rows: the padding of the page at ${page} is not zero.`);
    }
  }
}

/** Every row number below `rows` must occur once, so that no row is shared or lost. */
function checkRank(rank: Uint32Array, rows: number): void {
  const seen = new Uint8Array(rows);
  let count = 0;
  for (let token = 0; token < rank.length; token += 1) {
    const row = rank[token]!;
    if (row === NO_ROW) continue;
    if (row >= rows || seen[row] === 1)
      throw invalid(`table section rank: token ${token} has row ${row}, out of range or taken.`);
    seen[row] = 1;
    count += 1;
  }
  if (count !== rows) throw invalid(`table section rank names ${count} rows of ${rows}.`);
}

/** Pairs must ascend, so that each is found by halving and none stands twice. */
function checkPhrases(phrases: Uint32Array, vocabulary: number): void {
  for (let at = 0; at < phrases.length; at += 2) {
    const first = phrases[at]!;
    const second = phrases[at + 1]!;
    const ascends =
      at === 0 || phrases[at - 2]! < first || (phrases[at - 2] === first && phrases[at - 1]! < second);
    if (ascends && first < vocabulary && second < vocabulary) continue;
    throw invalid(`table section phrases: pair ${at / 2} is out of order or names no token.`);
  }
}
