import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mixVectors } from "../../../indexer/stages/mix.ts";

const DIMENSION = 4;
/** Rows of three tokens; the last has none. */
const VALUES = Float32Array.of(1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0);
const ROWS = { row: (id: number) => VALUES.subarray(id * DIMENSION, (id + 1) * DIMENSION) };
const VECTOR = Float32Array.of(0, 0, 1, 0);

describe("a mixed vector", () => {
  it("is the unit sum of the vector and its share of the unit sum of rows", () => {
    const mixed = mixVectors(VECTOR, [0, 1], ROWS, 0.5);
    const bag = [1 / Math.sqrt(5), 2 / Math.sqrt(5), 0, 0];
    const sum = bag.map((value, j) => VECTOR[j]! + 0.5 * value);
    const norm = Math.hypot(...sum);
    mixed.forEach((value, j) => {
      expect(value).toBeCloseTo(sum[j]! / norm, 6);
    });
  });

  it("counts a token as often as it occurs", () => {
    expect(mixVectors(VECTOR, [0, 1, 1], ROWS, 0.5)).not.toEqual(mixVectors(VECTOR, [0, 1], ROWS, 0.5));
  });

  it("is the vector itself for a share of 0, no tokens, or tokens without a row", () => {
    for (const mixed of [
      mixVectors(VECTOR, [0, 1], ROWS, 0),
      mixVectors(VECTOR, [], ROWS, 0.5),
      mixVectors(VECTOR, [2, 2], ROWS, 0.5),
    ])
      expect(mixed).toEqual(VECTOR);
  });

  it("is zero where both are, and leaves what it was given alone", () => {
    const zero = new Float32Array(DIMENSION);
    expect(mixVectors(zero, [2], ROWS, 0.5)).toEqual(zero);
    const before = VECTOR.slice();
    mixVectors(VECTOR, [0], ROWS, 0.5);
    expect(VECTOR).toEqual(before);
  });

  it("has length 1 whenever it is not zero", () => {
    const number = fc.integer({ min: -9, max: 9 });
    const vector = fc.array(number, { minLength: DIMENSION, maxLength: DIMENSION });
    const share = fc.double({ min: 0, max: 2, noNaN: true });
    fc.assert(
      fc.property(vector, fc.array(fc.nat({ max: 2 })), share, (values, ids, part) => {
        const length = Math.hypot(...mixVectors(Float32Array.from(values), ids, ROWS, part));
        expect(length === 0 || Math.abs(length - 1) < 1e-6).toBe(true);
      }),
    );
  });
});
