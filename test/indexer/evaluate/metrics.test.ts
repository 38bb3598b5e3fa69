import { describe, expect, it } from "vitest";
import { ndcg, recall, reciprocalRank, score } from "../../../indexer/evaluate/metrics.ts";

const GRADES = new Map([
  ["a", 3],
  ["b", 2],
  ["c", 1],
]);
const log = Math.log2;

describe("nDCG", () => {
  it("is 1 for the ideal order and 0 where nothing relevant is found", () => {
    expect(ndcg(["a", "b", "c"], GRADES, 10)).toBe(1);
    expect(ndcg(["x", "y"], GRADES, 10)).toBe(0);
    expect(ndcg([], GRADES, 10)).toBe(0);
  });

  it("is the value worked out by hand, with the grade as gain", () => {
    // Ideal: 3/log2(2) + 2/log2(3) + 1/log2(4) = 4.76186.
    const ideal = 3 + 2 / log(3) + 0.5;
    expect(ideal).toBeCloseTo(4.76186, 5);
    // b first, something else, then a: 2 + 3/2 = 3.5.
    expect(ndcg(["b", "x", "a"], GRADES, 10)).toBeCloseTo(3.5 / 4.76186, 5);
    // c at the fourth place: 1/log2(5) = 0.430677.
    expect(ndcg(["x", "y", "z", "c"], GRADES, 10)).toBeCloseTo(0.430677 / 4.76186, 5);
  });

  it("looks at no document beyond its depth, in the ideal order either", () => {
    expect(ndcg(["a"], GRADES, 1)).toBe(1);
    expect(ndcg(["x", "a"], GRADES, 1)).toBe(0);
    expect(ndcg(["a", "x", "b"], GRADES, 2)).toBeCloseTo(3 / (3 + 2 / log(3)), 12);
  });
});

describe("recall", () => {
  it("is the share of the relevant documents within the depth", () => {
    expect(recall(["a", "x", "c"], GRADES, 100)).toBeCloseTo(2 / 3, 12);
    expect(recall(["x", "a"], GRADES, 1)).toBe(0);
    expect(recall(["c", "b", "a"], GRADES, 3)).toBe(1);
  });
});

describe("the reciprocal rank", () => {
  it("is one over the place of the first relevant document, whatever its grade", () => {
    expect(reciprocalRank(["c", "a"], GRADES, 10)).toBe(1);
    expect(reciprocalRank(["x", "y", "c"], GRADES, 10)).toBeCloseTo(1 / 3, 12);
    expect(reciprocalRank(["x", "y", "c"], GRADES, 2)).toBe(0);
    expect(reciprocalRank([], GRADES, 10)).toBe(0);
  });
});

describe("the scores of several queries", () => {
  it("are means over all of them, those without a find included", () => {
    const scores = score([["a", "b", "c"], ["x", "a"], []], [GRADES, new Map([["a", 1]]), GRADES]);
    expect(scores["ndcg@10"]).toBeCloseTo((1 + 1 / log(3) + 0) / 3, 12);
    expect(scores["recall@100"]).toBeCloseTo(2 / 3, 12);
    expect(scores["mrr@10"]).toBeCloseTo(0.5, 12);
  });

  it("of no query are 0", () => {
    expect(score([], [])).toEqual({ "ndcg@10": 0, "recall@100": 0, "mrr@10": 0 });
  });

  it("count a document at place 11 for recall and for nothing else", () => {
    const ranking = [...Array.from({ length: 10 }, (_, n) => `x${n}`), "a"];
    const scores = score([ranking], [new Map([["a", 1]])]);
    expect(scores).toEqual({ "ndcg@10": 0, "recall@100": 1, "mrr@10": 0 });
  });
});
