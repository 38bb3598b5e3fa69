import { describe, expect, it } from "vitest";
import { occurrences, skewness } from "../../../../indexer/evaluate/robustness/hubness.ts";

describe("skewness", () => {
  it("is 0 for values that lie evenly about their mean, and for equal ones", () => {
    expect(skewness([1, 2, 3])).toBeCloseTo(0, 12);
    expect(skewness([2, 2, 2])).toBe(0);
  });

  it("is the value worked out by hand", () => {
    // Mean 1; squares 1, 1, 1, 9 by 4 are 3; cubes -1, -1, -1, 27 by 4 are 6.
    expect(skewness([0, 0, 0, 4])).toBeCloseTo(6 / 3 ** 1.5, 12);
  });
});

describe("occurrences", () => {
  it("count the rankings that hold each document, those of none included", () => {
    expect(occurrences([["a", "b"], ["a"], []], ["a", "b", "c"])).toEqual([2, 1, 0]);
  });
});
