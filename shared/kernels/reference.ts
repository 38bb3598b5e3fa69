import { checkedKernels, type RawKernels } from "./checked.ts";
import type { Kernels, Pointer } from "./kernels.ts";
import { KernelMemory, PAGE_BYTES, type Pages, pagesWithin } from "./memory.ts";
import { rowBytes, unpackRow } from "./packing.ts";

/**
 * The kernels in scalar TypeScript: what they mean, and the twin that the WASM ones are
 * tested against, bit for bit. Written to be read, so too slow to serve from. `capBytes` as
 * for `createWasmKernels`.
 */
export function createReferenceKernels(capBytes: number): Kernels {
  const memory = new KernelMemory(createPages(), pagesWithin(capBytes));
  return checkedKernels(memory, scalarKernels(memory));
}

/** Growing moves the buffer and detaches the old one, as WebAssembly does, so a stale view fails here too. */
function createPages(): Pages {
  let buffer = new ArrayBuffer(PAGE_BYTES);
  return {
    get buffer() {
      return buffer;
    },
    grow(pages) {
      buffer = buffer.transfer(buffer.byteLength + pages * PAGE_BYTES);
    },
  };
}

function scalarKernels(memory: KernelMemory): RawKernels {
  return {
    accumulateRow(sum, row, bits, dimension, codebook, scale) {
      const sums = new Float32Array(memory.buffer, sum, dimension);
      const codes = unpackRow(new Uint8Array(memory.buffer, row, rowBytes(dimension, bits)), bits, dimension);
      const values = bits === 8 ? codes : codes.map(valueIn(new Int8Array(memory.buffer, codebook, 16)));
      const factor = Math.fround(scale);
      for (const [j, value] of values.entries()) {
        sums[j] = Math.fround(sums[j]! + Math.fround(factor * value));
      }
    },

    scanCodes(codes, factors, count, dimension, planes, querySum, estimates) {
      const width = dimension / 8;
      const factor = new Float32Array(memory.buffer, factors, count);
      const estimate = new Float32Array(memory.buffer, estimates, count);
      const query = queryValues(new Uint8Array(memory.buffer, planes, 4 * width));
      for (let i = 0; i < count; i++) {
        const code = new Uint8Array(memory.buffer, codes + i * width, width);
        let sum = 0;
        for (const [j, value] of query.entries()) if (bitOf(code, j)) sum += value;
        estimate[i] = Math.fround(Math.fround(2 * sum - querySum) * factor[i]!);
      }
    },

    dotRows(vectors, rows, count, dimension, query, out) {
      const numbers = new Uint32Array(memory.buffer, rows, count);
      const values = new Int16Array(memory.buffer, query, dimension);
      const dots = new Int32Array(memory.buffer, out, count);
      for (let i = 0; i < count; i++) {
        const vector = new Int8Array(memory.buffer, vectors + numbers[i]! * dimension, dimension);
        let dot = 0;
        for (const [j, value] of vector.entries()) dot = (dot + value * values[j]!) | 0;
        dots[i] = dot;
      }
    },

    addPostings(rows, impacts, count, weight, scores) {
      const numbers = new Uint16Array(memory.buffer, rows, count);
      const bytes = new Uint8Array(memory.buffer, impacts, count);
      const past = numbers.reduce((most, row) => Math.max(most, row + 1), 0);
      const totals = new Int32Array(memory.buffer, scores, past);
      for (const [i, row] of numbers.entries()) totals[row]! += Math.imul(weight, bytes[i]!);
    },

    topFloats(estimates, count, wanted, out) {
      const values = new Float32Array(memory.buffer, estimates, count);
      return writeTop(values, [...values.keys()], wanted, out);
    },

    topInts(scores, count, wanted, out) {
      const values = new Int32Array(memory.buffer, scores, count);
      const positive = [...values.keys()].filter((row) => values[row]! > 0);
      return writeTop(values, positive, wanted, out);
    },
  };

  /** `rows` ascend, and sorting is stable, so of equal values (-0 and 0 are) the lower row stands first. */
  function writeTop(
    values: Float32Array | Int32Array,
    rows: readonly number[],
    wanted: number,
    out: Pointer,
  ): number {
    const best = [...rows].sort((a, b) => compare(values[b]!, values[a]!)).slice(0, wanted);
    new Uint32Array(memory.buffer, out, best.length).set(best.sort((a, b) => a - b));
    return best.length;
  }
}

/** Not a difference: that of two equal infinities is NaN. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function valueIn(codebook: Int8Array): (code: number) => number {
  return (code) => codebook[code]!;
}

/** The values that four bit planes of equal length spell, -8..7. */
function queryValues(planes: Uint8Array): number[] {
  const width = planes.length / 4;
  const weights = [1, 2, 4, -8];
  return Array.from({ length: 8 * width }, (_, j) =>
    weights.reduce((sum, weight, k) => sum + weight * bitOf(planes.subarray(k * width), j), 0),
  );
}

function bitOf(bytes: Uint8Array, j: number): number {
  return (bytes[j >> 3]! >> (j & 7)) & 1;
}
