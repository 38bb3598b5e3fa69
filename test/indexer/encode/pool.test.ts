import { describe, expect, it } from "vitest";
import { floatOutput, halfOutput } from "../../../indexer/encode/outputs.ts";
import { poolDense, topImpacts } from "../../../indexer/encode/pool.ts";
import { Random } from "../../../indexer/random.ts";
import { roundToHalf, toHalf } from "../../../shared/math/float16.ts";

const [ROWS, SEQUENCE, DIMENSION] = [3, 5, 32];
const LENGTHS = [5, 2, 1];
const random = new Random(7);
const data = Float32Array.from({ length: ROWS * SEQUENCE * DIMENSION }, () => random.bits() / 2 ** 31 - 1);
const states = { data: floatOutput(data), sequence: SEQUENCE, dimension: DIMENSION };
const at = (row: number, position: number, j: number) => data[(row * SEQUENCE + position) * DIMENSION + j]!;

/** The positions that a rule reads, spelt out. */
const POSITIONS = {
  eos: (length: number) => [length - 1],
  cls: () => [0],
  mean: (length: number) => Array.from({ length }, (_, position) => position),
} as const;

describe("hidden states become a vector", () => {
  it.each(["eos", "cls", "mean"] as const)(
    "by %s, cut and then of length 1, in every row of a batch",
    (pooling) => {
      for (const kept of [8, 24, DIMENSION]) {
        LENGTHS.forEach((length, row) => {
          const positions = POSITIONS[pooling](length);
          const mean = Array.from(
            { length: kept },
            (_, j) => positions.reduce((sum, position) => sum + at(row, position, j), 0) / positions.length,
          );
          const norm = Math.hypot(...mean);
          const unit = poolDense(states, row, length, { pooling, kept, unit: true });
          expect(unit.length).toBe(kept);
          unit.forEach((value, j) => {
            expect(Math.abs(value - mean[j]! / norm)).toBeLessThan(5e-4);
          });
          expect(Math.hypot(...unit)).toBeCloseTo(1, 3);
          const plain = poolDense(states, row, length, { pooling, kept, unit: false });
          plain.forEach((value, j) => {
            expect(Math.abs(value - roundToHalf(mean[j]!))).toBeLessThan(1e-3);
          });
        });
      }
    },
  );

  it("and are refused where what is kept is not finite, wherever it stands", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const spoilt = data.slice();
      spoilt[(0 * SEQUENCE + 4) * DIMENSION + 7] = bad;
      expect(() =>
        poolDense({ ...states, data: floatOutput(spoilt) }, 0, 5, { pooling: "eos", kept: 8, unit: true }),
      ).toThrow(/not finite/u);
    }
  });

  it("and are read from halves as from the numbers that these stand for", () => {
    const bits = Uint16Array.from(data, toHalf);
    const rounded = { ...states, data: floatOutput(data.map(roundToHalf)) };
    const half = { ...states, data: halfOutput(bits) };
    for (const pooling of ["eos", "cls", "mean"] as const)
      for (const row of LENGTHS.keys())
        expect(poolDense(half, row, LENGTHS[row]!, { pooling, kept: 24, unit: true })).toEqual(
          poolDense(rounded, row, LENGTHS[row]!, { pooling, kept: 24, unit: true }),
        );
    expect(topImpacts(half.data, 1, 100, 7, new Set([3]))).toEqual(
      topImpacts(rounded.data, 1, 100, 7, new Set([3])),
    );
    const special = halfOutput(Uint16Array.of(0x7c00, 0xfc00, 0x7e00, 0x0001, 0x8000)).floats(0, 5);
    expect([...special]).toEqual([Infinity, -Infinity, NaN, 2 ** -24, -0]);
  });
});

describe("impacts become a short list", () => {
  it("of the greatest above 0, ties to the lower id, in the order of ids, special tokens left out", () => {
    const values = Float32Array.of(0, -1, 2, 1, 2, 1, 1, 9, 0.5, 2 ** -26);
    const { ids, values: kept } = topImpacts(floatOutput(values), 0, 10, 4, new Set([7]));
    expect([...ids]).toEqual([2, 3, 4, 5]);
    expect([...kept]).toEqual([2, 1, 2, 1]);
    expect([...topImpacts(floatOutput(values), 0, 10, 10, new Set()).ids]).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });
});
