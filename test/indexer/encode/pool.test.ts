import { describe, expect, it } from "vitest";
import { poolDense } from "../../../indexer/encode/pool.ts";
import { Random } from "../../../indexer/random.ts";
import { roundToHalf } from "../../../shared/math/float16.ts";

const [ROWS, SEQUENCE, DIMENSION] = [3, 5, 32];
const LENGTHS = [5, 2, 1];
const random = new Random(7);
const data = Float32Array.from({ length: ROWS * SEQUENCE * DIMENSION }, () => random.bits() / 2 ** 31 - 1);
const states = { data, sequence: SEQUENCE, dimension: DIMENSION };
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
        poolDense({ ...states, data: spoilt }, 0, 5, { pooling: "eos", kept: 8, unit: true }),
      ).toThrow(/not finite/u);
    }
  });
});
