import { describe, expect, it } from "vitest";
import { exactTop, recallOf } from "../../../bench/scale/exact.ts";
import { Random } from "../../../indexer/random.ts";

describe("brute force", () => {
  it("finds what sorting all scores finds", () => {
    const random = new Random(7);
    const [rows, dimension] = [200, 8];
    const vectors = Float32Array.from({ length: rows * dimension }, () => random.below(2001) - 1000);
    const query = Float32Array.from({ length: dimension }, () => random.below(2001) - 1000);
    const score = (row: number) =>
      query.reduce((sum, value, j) => sum + value * vectors[row * dimension + j]!, 0);
    const sorted = Array.from({ length: rows }, (_, row) => row).sort((a, b) => score(b) - score(a) || a - b);
    expect(exactTop(vectors, dimension, query, 10)).toEqual(sorted.slice(0, 10));
  });

  it("gives equals in the order of rows, and all rows where there are no more than wanted", () => {
    const vectors = new Float32Array(4 * 3).fill(1);
    expect(exactTop(vectors, 4, new Float32Array(4).fill(1), 2)).toEqual([0, 1]);
    expect(exactTop(vectors, 4, new Float32Array(4).fill(1), 9)).toEqual([0, 1, 2]);
  });
});

describe("recall", () => {
  it("is the share of true rows that were found, whatever else was", () => {
    expect(
      recallOf(
        [
          [1, 2],
          [3, 4],
        ],
        [
          [2, 9, 1],
          [5, 3],
        ],
      ),
    ).toBe(0.75);
  });
});
