import { LightedgeError } from "../errors.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { BLOCK_CODES, holdsLeast, LANE_CODES, tableBytes, wholeUnits } from "./code-blocks.ts";
import type { Kernels, Pointer, RowBits } from "./kernels.ts";
import type { KernelMemory } from "./memory.ts";
import { isPackable, rowBytes } from "./packing.ts";
import { BLOCK_DOCUMENTS, blocksOf, isListOf, LIST_MARGIN, LIST_RECORD } from "./posting-lists.ts";

/** Where the kernels' own scratch space starts; `SCRATCH_BYTES` long. */
const SCRATCH: Pointer = 0;

/** Scores that 16-bit rows can reach. */
const POSTING_ROWS = 65_536;

/**
 * The kernels as an implementation supplies them: arguments are valid, and where the last
 * one is `scratch` it points to `SCRATCH_BYTES` of any content. Otherwise as in `Kernels`.
 */
export interface RawKernels {
  accumulateRow(
    sum: Pointer,
    row: Pointer,
    bits: RowBits,
    dimension: number,
    codebook: Pointer,
    scale: number,
  ): void;
  blockCodes(codes: Pointer, count: number, dimension: number, scratch: Pointer): void;
  scanTables(planes: Pointer, dimension: number, tables: Pointer): void;
  scanCodes(
    codes: Pointer,
    factors: Pointer,
    first: number,
    count: number,
    dimension: number,
    tables: Pointer,
    querySum: number,
    estimates: Pointer,
    scratch: Pointer,
  ): void;
  scatterMax(
    values: Pointer,
    rows: Pointer,
    count: number,
    least: number,
    best: Pointer,
    seen: Pointer,
  ): number;
  gatherSeen(best: Pointer, seen: Pointer, count: number, rows: Pointer): number;
  dotRows(
    vectors: Pointer,
    rows: Pointer,
    count: number,
    dimension: number,
    query: Pointer,
    out: Pointer,
  ): void;
  addPostings(rows: Pointer, impacts: Pointer, count: number, weight: number, scores: Pointer): void;
  topPostings(
    lists: Pointer,
    count: number,
    documents: number,
    dead: Pointer,
    least: number,
    wanted: number,
    out: Pointer,
    places: number,
    scratch: Pointer,
  ): number;
  countPostings(
    lists: Pointer,
    count: number,
    documents: number,
    dead: Pointer,
    limit: number,
    scratch: Pointer,
  ): number;
  sumPostings(
    lists: Pointer,
    count: number,
    documents: number,
    rows: Pointer,
    rowCount: number,
    out: Pointer,
  ): void;
  topFloats(estimates: Pointer, count: number, wanted: number, out: Pointer, scratch: Pointer): number;
  topInts(scores: Pointer, count: number, wanted: number, out: Pointer, scratch: Pointer): number;
}

/**
 * Kernels that check every argument before the raw ones run: each address with its length,
 * each row number that is multiplied into an address, each count. Any breach is `internal`,
 * as callers derive all of these from validated files. Costs one pass over `rows` in
 * `dotRows`, and in `addPostings` and `scatterMax` when fewer than 65,536 values lie before the end of memory.
 */
export function checkedKernels(memory: KernelMemory, raw: RawKernels): Kernels {
  const check = memory.check.bind(memory);
  return {
    get residentBytes() {
      return memory.size;
    },
    allocate: (bytes) => memory.allocate(bytes),
    bytes(pointer, length) {
      check("bytes", pointer, length, 1, 1);
      return new Uint8Array(memory.buffer, pointer, length);
    },
    floats(pointer, length) {
      check("floats", pointer, length, 4, 4);
      return new Float32Array(memory.buffer, pointer, length);
    },
    ints(pointer, length) {
      check("ints", pointer, length, 4, 4);
      return new Int32Array(memory.buffer, pointer, length);
    },
    shorts(pointer, length) {
      check("shorts", pointer, length, 2, 2);
      return new Int16Array(memory.buffer, pointer, length);
    },

    accumulateRow(sum, row, bits, dimension, codebook, scale) {
      checkDimension(dimension);
      check("sum", sum, dimension, 4, 4);
      check("row", row, rowBytes(dimension, bits), 1, 1);
      if (bits !== 8) check("codebook", codebook, 16, 1, 1);
      demand(Number.isFinite(Math.fround(scale)), "scale", scale);
      raw.accumulateRow(sum, row, bits, dimension, codebook, scale);
    },

    blockCodes(codes, count, dimension) {
      checkDimension(dimension);
      check("codes", codes, wholeUnits(count, BLOCK_CODES), dimension / 8, 1);
      raw.blockCodes(codes, count, dimension, SCRATCH);
    },

    scanTables(planes, dimension, tables) {
      checkDimension(dimension);
      check("planes", planes, dimension / 2, 1, 1);
      check("tables", tables, tableBytes(dimension), 1, 1);
      demand(!holdsLeast(new Uint8Array(memory.buffer, planes, dimension / 2)), "planes", -8);
      raw.scanTables(planes, dimension, tables);
    },

    scanCodes(codes, factors, first, count, dimension, tables, querySum, estimates) {
      checkDimension(dimension);
      demand(Number.isSafeInteger(first) && first >= 0, "first", first);
      check("codes", codes, wholeUnits(first + count, BLOCK_CODES), dimension / 8, 1);
      check("factors", factors, wholeUnits(first + count, LANE_CODES), 4, 4);
      check("tables", tables, tableBytes(dimension), 1, 1);
      check("estimates", estimates, count, 4, 4);
      // Values are within +-7, so no true sum is beyond this.
      demand(Number.isInteger(querySum) && Math.abs(querySum) <= 7 * dimension, "querySum", querySum);
      raw.scanCodes(codes, factors, first, count, dimension, tables, querySum, estimates, SCRATCH);
    },

    scatterMax(values, rows, count, least, best, seen) {
      check("values", values, count, 4, 4);
      check("rows", rows, count, 2, 2);
      const past = rowsFrom(best, rows, count);
      check("best", best, past, 4, 4);
      check("seen", seen, Math.ceil(past / 32), 4, 4);
      return raw.scatterMax(values, rows, count, least, best, seen);
    },

    gatherSeen(best, seen, count, rows) {
      demand(count <= POSTING_ROWS, "count", count);
      check("best", best, count, 4, 4);
      check("seen", seen, Math.ceil(count / 32), 4, 4);
      check("rows", rows, count, 2, 2);
      return raw.gatherSeen(best, seen, count, rows);
    },

    dotRows(vectors, rows, count, dimension, query, out) {
      checkDimension(dimension);
      check("rows", rows, count, 4, 4);
      check("query", query, dimension, 2, 2);
      check("out", out, count, 4, 4);
      const past = greatest(new Uint32Array(memory.buffer, rows, count)) + 1;
      check("vectors", vectors, past, dimension, 1);
      raw.dotRows(vectors, rows, count, dimension, query, out);
    },

    addPostings(rows, impacts, count, weight, scores) {
      check("rows", rows, count, 2, 2);
      check("impacts", impacts, count, 1, 1);
      demand(Number.isInteger(weight) && weight === (weight | 0), "weight", weight);
      check("scores", scores, rowsFrom(scores, rows, count), 4, 4);
      raw.addPostings(rows, impacts, count, weight, scores);
    },

    topPostings(lists, count, documents, dead, least, wanted, out, places) {
      checkLists(memory, lists, count, documents, dead);
      demand(isCount(least) && least > 0, "least", least);
      demand(isCount(wanted) && wanted + BLOCK_DOCUMENTS <= places, "wanted", wanted);
      check("out", out, 3 * places, 4, 4);
      return raw.topPostings(lists, count, documents, dead, least, wanted, out, places, SCRATCH);
    },
    countPostings(lists, count, documents, dead, limit) {
      checkLists(memory, lists, count, documents, dead);
      demand(isCount(limit), "limit", limit);
      return raw.countPostings(lists, count, documents, dead, limit, SCRATCH);
    },
    sumPostings(lists, count, documents, rows, rowCount, out) {
      checkLists(memory, lists, count, documents, 0);
      check("rows", rows, rowCount, 4, 4);
      check("out", out, rowCount, 4, 4);
      const numbers = new Uint32Array(memory.buffer, rows, rowCount);
      for (let at = 0; at < rowCount; at++) {
        demand(numbers[at]! < (numbers[at + 1] ?? documents), "row", numbers[at]!);
      }
      raw.sumPostings(lists, count, documents, rows, rowCount, out);
    },

    topFloats(estimates, count, wanted, out) {
      checkTop("estimates", estimates, count, wanted, out);
      return raw.topFloats(estimates, count, wanted, out, SCRATCH);
    },
    topInts(scores, count, wanted, out) {
      checkTop("scores", scores, count, wanted, out);
      return raw.topInts(scores, count, wanted, out, SCRATCH);
    },
  };

  /** Rows that these numbers can reach: not looked at where there is room for any. */
  function rowsFrom(values: Pointer, rows: Pointer, count: number): number {
    const roomForAll = values + 4 * POSTING_ROWS <= memory.size;
    return roomForAll ? POSTING_ROWS : greatest(new Uint16Array(memory.buffer, rows, count)) + 1;
  }

  function checkTop(what: string, values: Pointer, count: number, wanted: number, out: Pointer): void {
    check(what, values, count, 4, 4);
    demand(isCount(wanted), "wanted", wanted);
    check("out", out, Math.min(wanted, count), 4, 4);
  }
}

function checkDimension(dimension: number): void {
  demand(isPackable(dimension) && dimension <= FORMAT_LIMITS.dimension, "dimension", dimension);
}

/** Lists as their heads say, each with its margin inside memory. What lies within a list was laid out from checked arrays. */
function checkLists(
  memory: KernelMemory,
  lists: Pointer,
  count: number,
  documents: number,
  dead: Pointer,
): void {
  demand(isCount(documents) && documents <= POSTING_ROWS, "documents", documents);
  memory.check("lists", lists, count, LIST_RECORD, 4);
  if (dead !== 0) memory.check("dead", dead, blocksOf(documents), BLOCK_DOCUMENTS / 8, 1);
  const bytes = new Uint8Array(memory.buffer);
  const records = new Uint32Array(memory.buffer, lists, (count * LIST_RECORD) / 4);
  let weights = 0;
  for (let at = 0; at < records.length; at += LIST_RECORD / 4) {
    const [pointer, length, weight] = [records[at]!, records[at + 1]!, records[at + 2]!];
    memory.check("list", pointer, length + LIST_MARGIN, 1, 1);
    demand(isListOf(bytes, pointer, length, documents), "list", pointer);
    demand(weight > 0, "weight", weight);
    weights += weight;
  }
  demand(255 * weights < 2 ** 31, "weight", weights);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31;
}

function demand(holds: boolean, field: string, value: number): void {
  if (!holds) throw new LightedgeError("internal", `A kernel was given the ${field} ${value}.`, { field });
}

/** -1 when there are none. By index, as iterators over typed arrays take several times as long. */
function greatest(rows: Uint16Array | Uint32Array): number {
  let most = -1;
  for (let at = 0; at < rows.length; at++) if (rows[at]! > most) most = rows[at]!;
  return most;
}
