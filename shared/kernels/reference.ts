import { checkedKernels, type RawKernels } from "./checked.ts";
import { BLOCK_CODES } from "./code-blocks.ts";
import type { Kernels, Pointer } from "./kernels.ts";
import { KernelMemory, PAGE_BYTES, type Pages, pagesWithin } from "./memory.ts";
import { rowBytes, unpackRow } from "./packing.ts";
import { blocksOf, LIST_RECORD, readList } from "./posting-lists.ts";

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

    blockCodes(codes, count, dimension) {
      const width = dimension / 8;
      for (let first = 0; first < count; first += BLOCK_CODES) {
        const block = new Uint8Array(memory.buffer, codes + first * width, BLOCK_CODES * width);
        const rows = block.slice();
        for (const at of block.keys()) {
          block[at] = rows[(at % BLOCK_CODES) * width + Math.floor(at / BLOCK_CODES)]!;
        }
      }
    },

    scanTables(planes, dimension, tables) {
      const query = queryValues(new Uint8Array(memory.buffer, planes, dimension / 2));
      const entries = new Uint8Array(memory.buffer, tables, 4 * dimension);
      let raised = 0;
      for (let t = 0; t < dimension / 4; t++) {
        const values = query.slice(4 * t, 4 * t + 4);
        const sums = Array.from({ length: 16 }, (_, n) =>
          values.reduce((sum, value, k) => sum + ((n >> k) & 1) * value, 0),
        );
        const least = Math.min(...sums);
        entries.set(
          sums.map((sum) => sum - least),
          16 * t,
        );
        raised -= least;
      }
      const end = tables + 4 * dimension;
      new Uint8Array(memory.buffer, end, 16).fill(15);
      new Uint8Array(memory.buffer, end + 16, 16).set(new Uint8Array(Int32Array.of(raised, 0, 0, 0).buffer));
    },

    scanCodes(codes, factors, first, count, dimension, tables, querySum, estimates) {
      const width = dimension / 8;
      const factor = new Float32Array(memory.buffer, factors, first + count);
      const estimate = new Float32Array(memory.buffer, estimates, count);
      const entries = new Uint8Array(memory.buffer, tables, 4 * dimension);
      const raised = new DataView(memory.buffer, tables + 4 * dimension + 16).getInt32(0, true);
      for (let i = 0; i < count; i++) {
        const code = first + i;
        const place = code % BLOCK_CODES;
        const block = new Uint8Array(memory.buffer, codes + (code - place) * width, BLOCK_CODES * width);
        let sum = -raised;
        for (let b = 0; b < width; b++) {
          const byte = block[BLOCK_CODES * b + place]!;
          sum += entries[32 * b + (byte & 15)]! + entries[32 * b + 16 + (byte >> 4)]!;
        }
        estimate[i] = Math.fround(Math.fround(2 * sum - querySum) * factor[code]!);
      }
    },

    scatterMax(values, rows, count, least, best, seen) {
      let fresh = 0;
      const value = new Float32Array(memory.buffer, values, count);
      const numbers = new Uint16Array(memory.buffer, rows, count);
      for (const [i, row] of numbers.entries()) {
        if (!(value[i]! >= Math.fround(least))) continue;
        const word = new Uint32Array(memory.buffer, seen + 4 * (row >> 5), 1);
        const most = new Float32Array(memory.buffer, best + 4 * row, 1);
        const isSeen = ((word[0]! >>> (row & 31)) & 1) === 1;
        if (!isSeen || value[i]! > most[0]!) most[0] = value[i]!;
        word[0]! |= 1 << (row & 31);
        if (!isSeen) fresh++;
      }
      return fresh;
    },

    gatherSeen(best, seen, count, rows) {
      const words = new Uint32Array(memory.buffer, seen, Math.ceil(count / 32));
      const values = new Float32Array(memory.buffer, best, count);
      const found = [...values.keys()].filter((row) => ((words[row >> 5]! >>> (row & 31)) & 1) === 1);
      values.set(found.map((row) => values[row]!));
      new Uint16Array(memory.buffer, rows, found.length).set(found);
      words.fill(0);
      return found.length;
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

    topPostings(lists, count, documents, dead, least, wanted, out, places) {
      const sums = sumsOf(memory, lists, count, documents, dead);
      const rows = [...sums.keys()].filter((row) => sums.get(row)! >= least);
      rows.sort((a, b) => sums.get(b)! - sums.get(a)! || a - b).splice(wanted);
      rows.sort((a, b) => a - b);
      new Uint32Array(memory.buffer, out, rows.length).set(rows);
      const scores = rows.map((row) => sums.get(row)!);
      new Int32Array(memory.buffer, out + 4 * places, rows.length).set(scores);
      return rows.length;
    },

    countPostings(lists, count, documents, dead, limit) {
      return Math.min(sumsOf(memory, lists, count, documents, dead).size, limit + 1);
    },

    sumPostings(lists, count, documents, rows, rowCount, out) {
      const sums = sumsOf(memory, lists, count, documents, 0);
      const numbers = new Uint32Array(memory.buffer, rows, rowCount);
      new Int32Array(memory.buffer, out, rowCount).set(Array.from(numbers, (row) => sums.get(row) ?? 0));
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

/** By document, the sum of weight x impact over the lists; documents that no list holds, and the dead, have none. */
function sumsOf(
  memory: KernelMemory,
  lists: Pointer,
  count: number,
  documents: number,
  dead: Pointer,
): Map<number, number> {
  const sums = new Map<number, number>();
  const gone = dead === 0 ? null : new Uint8Array(memory.buffer, dead, 32 * blocksOf(documents));
  for (let i = 0; i < count; i++) {
    const [pointer, bytes, weight] = new Uint32Array(memory.buffer, lists + i * LIST_RECORD, 3);
    const { rows, impacts } = readList(new Uint8Array(memory.buffer, pointer!, bytes!), documents);
    for (const [at, row] of rows.entries()) {
      if (gone !== null && bitOf(gone, row)) continue;
      sums.set(row, (sums.get(row) ?? 0) + weight! * impacts[at]!);
    }
  }
  return sums;
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
