import fc from "fast-check";
import { expect, test } from "vitest";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import { rowBytes } from "../../../shared/kernels/packing.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { KIB, MIB } from "../../../shared/limits.ts";
import { put, top } from "../../contract/kernels.ts";
import { builtKernels } from "./built.ts";

// The WASM kernels against their scalar twins on the same bytes: every bit of the result must
// be equal. Sizes are those at which the loops of 4, 8, 16 and 64 end, and their neighbours.

const module = await builtKernels();
const COUNTS = [0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129] as const;
const DIMENSIONS = [128, 256, 384, 512, 1024, 4096] as const;

const counts = fc.constantFrom(...COUNTS);
const dimensions = fc.constantFrom(...DIMENSIONS);
const seeds = fc.integer();

/** Runs the same work on both and compares the bytes it returns. */
function agree(work: (kernels: Kernels) => Uint8Array<ArrayBuffer>): void {
  const expected = work(createReferenceKernels(4 * MIB));
  const actual = work(createWasmKernels(module, 4 * MIB));
  // Buffers compare quickly; the slow way then says where they differ.
  if (!Buffer.from(actual.buffer, actual.byteOffset, actual.length).equals(expected)) {
    expect(actual).toEqual(expected);
  }
}

function bytesOf(rows: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(rows).buffer);
}

/** `length` bytes that follow from a seed, all or nothing now and then (a xorshift generator). */
function noise(seed: number, length: number): Uint8Array<ArrayBuffer> {
  if (seed % 16 === 0) return new Uint8Array(length).fill(seed % 32 === 0 ? 255 : 0);
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 24;
  });
}

/** Finite floats of every size and sign: random bits with the exponent of infinity avoided. */
function floatNoise(seed: number, count: number): Float32Array<ArrayBuffer> {
  const words = new Int32Array(noise(seed, 4 * count).buffer);
  return new Float32Array(
    words.map((word) => (((word >> 23) & 255) === 255 ? word & 0x807fffff : word)).buffer,
  );
}

test("accumulateRow has the same bits, sums and scales of any size", () => {
  const bits = fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const, 8 as const);
  const scales = fc.float({ min: -3, max: 3, noNaN: true });
  fc.assert(
    fc.property(bits, dimensions, scales, seeds, (width, dimension, scale, seed) => {
      agree((kernels) => {
        const sum = put(
          kernels,
          floatNoise(seed, dimension).map((value) => value % 1e30),
        );
        // A row may start at any byte of a table.
        const row = put(kernels, noise(seed ^ 1, rowBytes(dimension, width) + 7)) + (seed & 7);
        const codebook = put(kernels, noise(seed ^ 2, 16));
        kernels.accumulateRow(sum, row, width, dimension, codebook, scale);
        return kernels.bytes(sum, 4 * dimension);
      });
    }),
    { numRuns: 150 },
  );
});

/** Four bit planes of values within +-7, a fourth of them all at one end, and the sum of the values. */
function noisePlanes(seed: number, dimension: number): readonly [Uint8Array<ArrayBuffer>, number] {
  const planes = noise(seed, dimension / 2);
  const width = dimension / 8;
  let sum = 0;
  for (let j = 0; j < dimension; j++) {
    const [byte, bit] = [j >> 3, 1 << (j & 7)];
    const bits = [0, 1, 2, 3].map((k) => Number((planes[k * width + byte]! & bit) !== 0));
    const noisy = bits[0]! + 2 * bits[1]! + 4 * bits[2]! - 8 * bits[3]!;
    const value = (seed & 3) === 1 ? ((seed & 4) === 0 ? 7 : -7) : Math.max(-7, noisy);
    for (let k = 0; k < 4; k++) {
      const plane = planes[k * width + byte]!;
      planes[k * width + byte] = ((value >> k) & 1) === 1 ? plane | bit : plane & ~bit;
    }
    sum += value;
  }
  return [planes, sum];
}

test("scanTables, blockCodes and scanCodes have the same bits, wherever the codes begin", () => {
  fc.assert(
    fc.property(
      counts,
      fc.integer({ min: 0, max: 140 }),
      dimensions,
      seeds,
      (count, first, dimension, seed) => {
        agree((kernels) => {
          const width = dimension / 8;
          const room = 64 * Math.ceil((first + count) / 64);
          const codes = put(kernels, noise(seed, room * width));
          const factors = put(
            kernels,
            Float32Array.from(noise(seed ^ 1, room), (byte) => byte / 77 - 1),
          );
          const tables = kernels.allocate(4 * dimension + 32);
          const [planes, sum] = noisePlanes(seed ^ 2, dimension);
          kernels.blockCodes(codes, first + count, dimension);
          kernels.scanTables(put(kernels, planes), dimension, tables);
          const estimates = kernels.allocate(4 * count);
          // Twice, since the scratch space is dirty the second time.
          kernels.scanCodes(codes, factors, first, count, dimension, tables, sum, estimates);
          kernels.scanCodes(codes, factors, first, count, dimension, tables, sum, estimates);
          // From the codes on: they lie as they were laid, then all that was made of them.
          return kernels.bytes(codes, estimates + 4 * count - codes);
        });
      },
    ),
    { numRuns: 100 },
  );
});

test("scanCodes has the same bits where every bit of a code of 4,096 counts as much as it can", () => {
  for (const value of [7, -7]) {
    agree((kernels) => {
      const codes = put(kernels, new Uint8Array(64 * 512).fill(255, 0, 32 * 512));
      const factors = put(kernels, new Float32Array(64).fill(1));
      const bits = Uint8Array.from({ length: 2048 }, (_, at) => ((value >> (at >> 9)) & 1) * 255);
      const tables = kernels.allocate(4 * 4096 + 32);
      kernels.blockCodes(codes, 64, 4096);
      kernels.scanTables(put(kernels, bits), 4096, tables);
      const estimates = kernels.allocate(256);
      kernels.scanCodes(codes, factors, 0, 64, 4096, tables, 4096 * value, estimates);
      expect(kernels.floats(estimates, 64)).toEqual(
        Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? 4096 * value : -4096 * value)),
      );
      return kernels.bytes(estimates, 256);
    });
  }
});

test("scatterMax and gatherSeen have the same bits, with rows that repeat", () => {
  const ranges = fc.constantFrom(1, 31, 32, 33, 200, 65_536);
  const leasts = fc.constantFrom(Number.NEGATIVE_INFINITY, -1, 0, 1, 2 ** 100);
  fc.assert(
    fc.property(counts, ranges, leasts, seeds, (count, range, least, seed) => {
      agree((kernels) => {
        const rows = put(
          kernels,
          new Uint16Array(noise(seed, 2 * count).buffer).map((row) => row % range),
        );
        const values = put(kernels, floatNoise(seed ^ 1, count));
        const best = put(kernels, floatNoise(seed ^ 2, range));
        const seen = kernels.allocate(8 * KIB);
        const found = kernels.allocate(2 * range);
        const first = kernels.scatterMax(values, rows, count >> 1, least, best, seen);
        const then = kernels.scatterMax(values, rows, count, least, best, seen);
        const gathered = kernels.gatherSeen(best, seen, range, found);
        return Uint8Array.of(
          first,
          then,
          ...kernels.bytes(best, 4 * gathered),
          ...kernels.bytes(found, 2 * gathered),
        );
      });
    }),
    { numRuns: 100 },
  );
});

test("dotRows has the same bits, even where sums leave 32 bits", () => {
  fc.assert(
    fc.property(counts, dimensions, seeds, (count, dimension, seed) => {
      agree((kernels) => {
        const vectors = put(kernels, noise(seed, 33 * dimension));
        const rows = put(
          kernels,
          Uint32Array.from(noise(seed ^ 1, count), (byte) => byte % 33),
        );
        const query = put(kernels, noise(seed ^ 2, 2 * dimension));
        const out = kernels.allocate(4 * count);
        kernels.dotRows(vectors, rows, count, dimension, query, out);
        return kernels.bytes(out, 4 * count);
      });
    }),
    { numRuns: 60 },
  );
});

test("addPostings has the same bits, with rows that repeat and sums that wrap", () => {
  const weights = fc.oneof(fc.integer(), fc.integer({ min: -2048, max: 2047 }));
  const ranges = fc.constantFrom(1, 5, 200, 65_536);
  fc.assert(
    fc.property(counts, weights, ranges, seeds, (count, weight, range, seed) => {
      agree((kernels) => {
        const shorts = new Uint16Array(noise(seed, 2 * count).buffer);
        const rows = put(
          kernels,
          shorts.map((row) => row % range),
        );
        const impacts = put(kernels, noise(seed ^ 1, count + 3)) + (seed & 3);
        const scores = put(kernels, noise(seed ^ 2, 4 * range));
        kernels.addPostings(rows, impacts, count, weight, scores);
        return kernels.bytes(scores, 4 * range);
      });
    }),
    { numRuns: 100 },
  );
});

/** Numbers that share high bits, low bits or all of them, so that each round of the histogram decides something. */
const scores = fc.oneof(
  fc.integer({ min: -2, max: 3 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0x7ffffff0, max: 0x7fffffff }),
  fc.integer(),
);
const estimates = fc.oneof(
  fc.constantFrom(-0, 0, 1, -1, 2 ** -149, -(2 ** -149), 3.4028234663852886e38),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, min: 1, max: Math.fround(1.0001) }),
  fc.float({ noNaN: true, min: -8, max: 8 }),
);

test.each([["topFloats", estimates] as const, ["topInts", scores] as const])(
  "%s finds what sorting finds, however many are wanted",
  (kernel, values) => {
    const lists = counts.chain((n) => {
      const few = fc.constantFrom(...COUNTS).chain((k) => fc.array(values, { minLength: k, maxLength: k }));
      // Either every value by itself, or few values again and again.
      const repeated = few.map((list) => Array.from({ length: n }, (_, i) => list[i % 5] ?? 0));
      return fc.oneof(fc.array(values, { minLength: n, maxLength: n }), repeated);
    });
    fc.assert(
      fc.property(lists, fc.nat(), (list, number) => {
        const n = list.length;
        for (const wanted of [0, 1, number % (n + 1), n, n + 1]) {
          agree((kernels) => bytesOf(top(kernels, kernel, list, wanted)));
        }
      }),
      { numRuns: 150 },
    );
  },
);

test("topFloats and topInts stay exact over many rows", () => {
  const bytes = noise(12345, 4 * 50_001);
  const floats = [...floatNoise(777, 50_001)];
  const ints = [...new Int32Array(bytes.buffer)].map((value) => value >> 9);
  for (const wanted of [1, 1000, 40_000]) {
    agree((kernels) => bytesOf(top(kernels, "topFloats", floats, wanted)));
    agree((kernels) => bytesOf(top(kernels, "topInts", ints, wanted)));
  }
});
