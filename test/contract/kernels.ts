import { describe, expect, test } from "vitest";
import { LightedgeError } from "../../shared/errors.ts";
import type { Kernels, Pointer, RowBits } from "../../shared/kernels/kernels.ts";
import { packRow } from "../../shared/kernels/packing.ts";
import { KIB, MIB } from "../../shared/limits.ts";

/** What every implementation of the kernels must do, by examples that can be followed by hand. */
export function describeKernels(name: string, create: (capBytes: number) => Kernels): void {
  describe(`${name} kernels: memory`, () => {
    test("allocates zeroed space at multiples of 64, one after another", () => {
      const kernels = create(MIB);
      const pointers = [1, 0, 64, 65, 3].map((bytes) => kernels.allocate(bytes));
      expect(pointers.every((pointer) => pointer % 64 === 0 && pointer > 0)).toBe(true);
      expect(pointers.map((pointer) => pointer - pointers[0]!)).toEqual([0, 64, 64, 128, 256]);
      expect([...kernels.bytes(pointers[0]!, 128)]).toEqual(new Array(128).fill(0));
    });

    test("keeps what was written when it grows, and lets go of older views", () => {
      const kernels = create(MIB);
      const pointer = kernels.allocate(16);
      const before = kernels.ints(pointer, 4);
      before.set([1, -2, 3, -4]);
      expect(kernels.residentBytes).toBe(64 * KIB);
      kernels.allocate(90 * KIB);
      expect(kernels.residentBytes).toBe(128 * KIB);
      expect(before.length).toBe(0);
      expect([...kernels.ints(pointer, 4)]).toEqual([1, -2, 3, -4]);
      expect([...kernels.shorts(pointer, 4)]).toEqual([1, 0, -2, -1]);
    });

    test("refuses to pass its cap, and goes on with what fits", () => {
      const kernels = create(200 * KIB);
      expect(codeOf(() => kernels.allocate(161 * KIB))).toBe("index/too-large");
      expect(kernels.allocate(160 * KIB)).toBe(32 * KIB);
      expect(codeOf(() => kernels.allocate(1))).toBe("index/too-large");
    });

    test("refuses a cap that holds no page", () => {
      expect(codeOf(() => create(64 * KIB - 1))).toBe("index/too-large");
    });

    test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses to allocate %s bytes", (bytes) => {
      expect(codeOf(() => create(MIB).allocate(bytes))).toBe("internal");
    });
  });

  describe(`${name} kernels: arguments`, () => {
    // Each call is right but for the one argument that its name gives.
    const end = MIB;
    const at = 64 * KIB;
    const wrong: Record<string, (k: Kernels) => unknown> = {
      "a view past the end": (k) => k.bytes(end - 1, 2),
      "a view at an odd address": (k) => k.floats(at + 2, 1),
      "a view of the scratch space": (k) => k.bytes(0, 1),
      "a negative length": (k) => k.ints(at, -1),
      "sums past the end": (k) => k.accumulateRow(end - 508, at, 4, 128, at, 1),
      "a row past the end": (k) => k.accumulateRow(at, end - 63, 4, 128, at, 1),
      "a codebook past the end": (k) => k.accumulateRow(at, at, 4, 128, end - 15, 1),
      "a scale that is infinite": (k) => k.accumulateRow(at, at, 8, 128, 0, 1e39),
      "a width of 5 bits": (k) => k.accumulateRow(at, at, 5 as RowBits, 128, at, 1),
      "a dimension of 64": (k) => k.dotRows(at, at, 1, 64, at, at),
      "a dimension of 8192": (k) => k.dotRows(at, at, 1, 8192, at, at),
      "codes to lay past the end": (k) => k.blockCodes(end - 1023, 1, 128),
      "planes past the end": (k) => k.scanTables(end - 63, 128, at),
      "a query value of -8": (k) => {
        k.bytes(at, 64).set([4], 48 + 15);
        k.scanTables(at, 128, at + 64);
      },
      "tables past the end": (k) => k.scanTables(at, 128, end - 543),
      "codes past the end": (k) => k.scanCodes(end - 2047, at, 0, 65, 128, at, 0, at),
      "a first code past the end": (k) => k.scanCodes(end - 1024, at, 1, 64, 128, at, 0, at),
      "a negative first code": (k) => k.scanCodes(at, at, -16, 1, 128, at, 0, at),
      "factors past the end": (k) => k.scanCodes(at, end - 60, 0, 2, 128, at, 0, at),
      "tables to scan with past the end": (k) => k.scanCodes(at, at, 0, 2, 128, end - 543, 0, at),
      "estimates past the end": (k) => k.scanCodes(at, at, 0, 2, 128, at, 0, end - 4),
      "a query sum no query has": (k) => k.scanCodes(at, at, 0, 2, 128, at, 897, at),
      "a value of a row past the end": (k) => {
        k.shorts(at, 1)[0] = 2;
        k.scatterMax(at, at, 1, 0, end - 8, at);
      },
      "marks past the end": (k) => k.scatterMax(at, at, 1, 0, at, end - 4096),
      "values to scatter past the end": (k) => k.scatterMax(end - 4, at, 2, 0, at, at),
      "values to gather past the end": (k) => k.gatherSeen(end - 4, at, 2, at),
      "gathered rows past the end": (k) => k.gatherSeen(at, at, 2, end - 2),
      "more rows to gather than there can be": (k) => k.gatherSeen(at, at, 65_537, at),
      "a row number past the end": (k) => {
        k.ints(at, 1)[0] = -1;
        k.dotRows(at, at, 1, 128, at, at);
      },
      "a query past the end": (k) => k.dotRows(at, at, 1, 128, end - 254, at),
      "dot products past the end": (k) => k.dotRows(at, at, 2, 128, at, end - 4),
      "a count that is no integer": (k) => k.dotRows(at, at, 1.5, 128, at, at),
      "a posting past the end": (k) => {
        k.shorts(at, 1)[0] = 2;
        k.addPostings(at, at, 1, 1, end - 8);
      },
      "impacts past the end": (k) => k.addPostings(at, end - 1, 2, 1, at),
      "a weight beyond 32 bits": (k) => k.addPostings(at, at, 1, 2 ** 31, at),
      "a negative number wanted": (k) => k.topFloats(at, 4, -1, at),
      "values past the end": (k) => k.topInts(end - 12, 4, 1, at),
      "found rows past the end": (k) => k.topInts(at, 4, 2, end - 4),
    };

    test.each(Object.entries(wrong))("refuses %s", (_, call) => {
      const kernels = create(MIB);
      kernels.allocate(MIB - 32 * KIB);
      expect(codeOf(() => call(kernels))).toBe("internal");
    });
  });

  describe(`${name} kernels: accumulateRow`, () => {
    test.each([1, 2, 3, 4] as const)("adds scale x codebook value to what is there at %i bits", (bits) => {
      const kernels = create(MIB);
      const codes = Uint8Array.from({ length: 256 }, (_, j) => (7 * j) % 2 ** bits);
      const codebook = Array.from({ length: 16 }, (_, code) => 8 * code - 100);
      const sum = kernels.allocate(1024);
      kernels.floats(sum, 256).fill(1000);
      const row = kernels.allocate(256);
      packRow(codes, bits, kernels.bytes(row, 32 * bits));
      kernels.accumulateRow(sum, row, bits, 256, put(kernels, Int8Array.from(codebook)), 0.5);
      const expected = Array.from(codes, (code) => 1000 + 0.5 * codebook[code]!);
      expect([...kernels.floats(sum, 256)]).toEqual(expected);
    });

    test("takes a byte for its value at 8 bits and needs no codebook", () => {
      const kernels = create(MIB);
      const sum = kernels.allocate(512);
      const row = put(
        kernels,
        Int8Array.from({ length: 128 }, (_, j) => 2 * j - 128),
      );
      kernels.accumulateRow(sum, row, 8, 128, 0, -0.25);
      expect([...kernels.floats(sum, 128)]).toEqual(Array.from({ length: 128 }, (_, j) => 32 - j / 2));
    });

    test("rounds product and sum apart", () => {
      const kernels = create(MIB);
      const scale = Math.fround(1 / 3);
      const product = Math.fround(scale * 127);
      const sum = kernels.allocate(512);
      kernels.floats(sum, 128).fill(-product);
      kernels.accumulateRow(sum, put(kernels, new Int8Array(128).fill(127)), 8, 128, 0, scale);
      // A fused multiply-add would leave the product's rounding error here.
      expect(scale * 127 - product).not.toBe(0);
      expect([...kernels.floats(sum, 128)]).toEqual(new Array(128).fill(0));
    });
  });

  describe(`${name} kernels: scanCodes`, () => {
    // Query: value 7 at bit 0, -7 at bit 9, 3 at bit 127, 0 elsewhere; the sum is 3.
    const planes = new Uint8Array(64);
    planes.set([1, 2], 0);
    planes.set([128], 15);
    planes.set([1], 16);
    planes.set([128], 31);
    planes.set([1], 32);
    planes.set([2], 48 + 1);

    // 151 codes take the roads of 64 and of 16 at a time and that of the rest.
    test.each([1, 151])("estimates from the query values at set bits, %i codes", (count) => {
      const kernels = create(MIB);
      const codes = new Uint8Array(64 * 16 * Math.ceil(count / 64));
      const expected: number[] = [];
      for (let i = 0; i < count; i++) {
        const [first, second, third] = [i & 1, (i >> 1) & 1, (i >> 2) & 1];
        codes.set([first, second << 1], 16 * i);
        codes[16 * i + 15] = third << 7;
        expected.push((2 * (7 * first - 7 * second + 3 * third) - 3) * (i + 0.5));
      }
      const estimates = kernels.allocate(4 * count);
      const factors = put(
        kernels,
        Float32Array.from({ length: 160 }, (_, i) => i + 0.5),
      );
      const tables = kernels.allocate(544);
      kernels.scanTables(put(kernels, planes), 128, tables);
      const laid = put(kernels, codes);
      kernels.blockCodes(laid, count, 128);
      kernels.scanCodes(laid, factors, 0, count, 128, tables, 3, estimates);
      expect([...kernels.floats(estimates, count)]).toEqual(expected);
      for (const [first, end] of [
        [0, 0],
        [count >> 1, count],
        [1, count - 1],
        [7, 9],
        [16, 49],
        [63, 129],
      ] as const) {
        if (first > end || end > count) continue;
        kernels.scanCodes(laid, factors, first, end - first, 128, tables, 3, estimates);
        expect([...kernels.floats(estimates, end - first)]).toEqual(expected.slice(first, end));
      }
    });

    test("lays codes in blocks of 64, byte by byte", () => {
      const kernels = create(MIB);
      const codes = put(
        kernels,
        Uint8Array.from({ length: 128 * 16 }, (_, at) => (at >> 4) * 5 + (at & 15) * 3),
      );
      kernels.blockCodes(codes, 65, 128);
      const expected = Uint8Array.from({ length: 128 * 16 }, (_, at) => {
        const [code, byte] = [64 * (at >> 10) + (at & 63), (at >> 6) & 15];
        return code * 5 + byte * 3;
      });
      expect(kernels.bytes(codes, 128 * 16)).toEqual(expected);
    });

    test("sums the query values of each half byte, the least sum being 0", () => {
      const kernels = create(MIB);
      const tables = kernels.allocate(544);
      kernels.scanTables(put(kernels, planes), 128, tables);
      const entry = (table: number, n: number) => kernels.bytes(tables, 512)[16 * table + n];
      expect([entry(0, 0), entry(0, 1), entry(0, 14), entry(0, 15)]).toEqual([0, 7, 0, 7]);
      expect([entry(2, 1), entry(2, 2), entry(2, 15)]).toEqual([7, 0, 0]);
      expect([entry(31, 7), entry(31, 8)]).toEqual([0, 3]);
      expect([...kernels.bytes(tables + 512, 16)]).toEqual(new Array(16).fill(15));
      expect([...kernels.ints(tables + 528, 4)]).toEqual([7, 0, 0, 0]);
    });
  });

  describe(`${name} kernels: dotRows and addPostings`, () => {
    test("multiplies the rows asked for, in the order asked, extremes included", () => {
      const kernels = create(MIB);
      const vectors = new Int8Array(3 * 4096).fill(-128, 0, 4096).fill(127, 8192);
      const query = put(kernels, new Int16Array(4096).fill(-2047));
      const rows = put(kernels, Uint32Array.from([2, 1, 0, 0, 2]));
      const out = kernels.allocate(20);
      kernels.dotRows(put(kernels, vectors), rows, 5, 4096, query, out);
      const [low, high] = [-2047 * 127 * 4096, 2047 * 128 * 4096];
      expect([...kernels.ints(out, 5)]).toEqual([low, 0, high, high, low]);
    });

    test("adds every posting, also when a row comes twice", () => {
      const kernels = create(MIB);
      const rows = put(kernels, Uint16Array.from([3, 0, 3, 65535, 1, 1, 1, 1, 1, 3]));
      const impacts = put(kernels, Uint8Array.from([1, 255, 2, 9, 1, 2, 3, 4, 5, 7]));
      const scores = kernels.allocate(4 * 65536);
      kernels.ints(scores, 1)[0] = 5;
      kernels.addPostings(rows, impacts, 10, -100, scores);
      expect([...kernels.ints(scores, 4)]).toEqual([-25495, -1500, 0, -1000]);
      expect(kernels.ints(scores, 65536)[65535]).toBe(-900);
    });
  });

  describe(`${name} kernels: scatterMax and gatherSeen`, () => {
    test("keeps the greatest value of each row and forgets them once gathered", () => {
      const kernels = create(MIB);
      const best = put(kernels, new Float32Array(100).fill(9));
      const seen = kernels.allocate(8 * KIB);
      const rows = put(kernels, Uint16Array.from([70, 3, 70, 31, 70, 32]));
      const values = put(kernels, Float32Array.from([1, -2, 5, 0, 4, -Infinity]));
      const found = kernels.allocate(200);
      const gathered = () => {
        const count = kernels.gatherSeen(best, seen, 100, found);
        return [[...kernels.shorts(found, count)], [...kernels.floats(best, count)]];
      };
      expect(kernels.scatterMax(values, rows, 3, -Infinity, best, seen)).toBe(2);
      expect(kernels.scatterMax(values + 12, rows + 6, 3, -Infinity, best, seen)).toBe(2);
      expect(gathered()).toEqual([
        [3, 31, 32, 70],
        [-2, 0, -Infinity, 5],
      ]);
      expect(gathered()).toEqual([[], []]);
      kernels.scatterMax(values + 4, rows, 1, -Infinity, best, seen);
      expect(gathered()).toEqual([[70], [-2]]);
      expect(kernels.scatterMax(values, rows, 6, 0, best, seen)).toBe(2);
      expect(gathered()).toEqual([
        [31, 70],
        [0, 5],
      ]);
    });
  });

  describe(`${name} kernels: topFloats and topInts`, () => {
    const floats = (values: number[], wanted: number) => top(create(MIB), "topFloats", values, wanted);
    const ints = (values: number[], wanted: number) => top(create(MIB), "topInts", values, wanted);

    test("finds the greatest floats and lists their rows in order", () => {
      expect(floats([1, 5, -2, 4.5, 3], 3)).toEqual([1, 3, 4]);
      expect(floats([-1, -5, -2, -4.5, -3], 3)).toEqual([0, 2, 4]);
    });

    test("gives ties to the lower row, with -0 equal to 0", () => {
      expect(floats([1, 2, 1, 1, 2], 4)).toEqual([0, 1, 2, 4]);
      expect(floats([-1, -0, 0, -0, 0], 3)).toEqual([1, 2, 3]);
    });

    test("gives what there is when more is wanted, and nothing for nothing", () => {
      expect(floats([3, -1, 2], 4)).toEqual([0, 1, 2]);
      expect(floats([3, -1, 2], 0)).toEqual([]);
      expect(floats([], 3)).toEqual([]);
      expect(ints([], 3)).toEqual([]);
    });

    test("passes over scores that are not above 0", () => {
      expect(ints([0, 7, -9, 1, 0], 5)).toEqual([1, 3]);
      expect(ints([0, -1, -(2 ** 31)], 2)).toEqual([]);
      expect(ints([5, 5, 2 ** 31 - 1, 0, 5], 3)).toEqual([0, 1, 2]);
    });
  });
}

/** A copy of these values in the kernels' memory. */
export function put(kernels: Kernels, values: ArrayBufferView<ArrayBuffer>): Pointer {
  const pointer = kernels.allocate(values.byteLength);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  kernels.bytes(pointer, values.byteLength).set(bytes);
  return pointer;
}

/** The rows that a selection kernel finds among these values. */
export function top(
  kernels: Kernels,
  kernel: "topFloats" | "topInts",
  values: readonly number[],
  wanted: number,
): number[] {
  const typed = kernel === "topFloats" ? Float32Array.from(values) : Int32Array.from(values);
  const out = kernels.allocate(4 * values.length);
  const found = kernels[kernel](put(kernels, typed), values.length, wanted, out);
  return [...kernels.ints(out, found)];
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof LightedgeError) return error.code;
    throw error;
  }
  return "no error";
}
