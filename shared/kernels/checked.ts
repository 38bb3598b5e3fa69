import { LightedgeError } from "../errors.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import type { Kernels, Pointer, RowBits } from "./kernels.ts";
import type { KernelMemory } from "./memory.ts";
import { isPackable, rowBytes } from "./packing.ts";

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
  scanCodes(
    codes: Pointer,
    factors: Pointer,
    count: number,
    dimension: number,
    planes: Pointer,
    querySum: number,
    estimates: Pointer,
    scratch: Pointer,
  ): void;
  dotRows(
    vectors: Pointer,
    rows: Pointer,
    count: number,
    dimension: number,
    query: Pointer,
    out: Pointer,
  ): void;
  addPostings(rows: Pointer, impacts: Pointer, count: number, weight: number, scores: Pointer): void;
  topFloats(estimates: Pointer, count: number, wanted: number, out: Pointer, scratch: Pointer): number;
  topInts(scores: Pointer, count: number, wanted: number, out: Pointer, scratch: Pointer): number;
}

/**
 * Kernels that check every argument before the raw ones run: each address with its length,
 * each row number that is multiplied into an address, each count. Any breach is `internal`,
 * as callers derive all of these from validated files. Costs one pass over `rows` in
 * `dotRows`, and in `addPostings` when fewer than 65,536 scores lie before the end of memory.
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

    scanCodes(codes, factors, count, dimension, planes, querySum, estimates) {
      checkDimension(dimension);
      check("codes", codes, count, dimension / 8, 1);
      check("factors", factors, count, 4, 4);
      check("planes", planes, dimension / 2, 1, 1);
      check("estimates", estimates, count, 4, 4);
      // Values of four bits are at least -8, so no true sum is beyond this.
      demand(Number.isInteger(querySum) && Math.abs(querySum) <= 8 * dimension, "querySum", querySum);
      raw.scanCodes(codes, factors, count, dimension, planes, querySum, estimates, SCRATCH);
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
      const roomForAll = scores + 4 * POSTING_ROWS <= memory.size;
      const past = roomForAll ? POSTING_ROWS : greatest(new Uint16Array(memory.buffer, rows, count)) + 1;
      check("scores", scores, past, 4, 4);
      raw.addPostings(rows, impacts, count, weight, scores);
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

  function checkTop(what: string, values: Pointer, count: number, wanted: number, out: Pointer): void {
    check(what, values, count, 4, 4);
    demand(Number.isSafeInteger(wanted) && wanted >= 0, "wanted", wanted);
    check("out", out, Math.min(wanted, count), 4, 4);
  }
}

function checkDimension(dimension: number): void {
  demand(isPackable(dimension) && dimension <= FORMAT_LIMITS.dimension, "dimension", dimension);
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
