import { describe, expect, it } from "vitest";
import {
  best,
  bestIds,
  denseScores,
  hybridScores,
  sparseScorer,
} from "../../../indexer/evaluate/brute-force.ts";
import { bagOf } from "../../../shared/segment/impacts.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { TINY_TOKENIZER } from "../../helpers/tiny-encoder.ts";

const passage = { start: 0, end: 1 };

describe("brute force", () => {
  it("takes a document's best chunk", () => {
    const vectors = [
      [1, 0],
      [0, 1],
      [0.6, 0.8],
    ].map((values) => Float32Array.from(values));
    const documents = [
      { firstChunk: 0, passages: [passage, passage] },
      { firstChunk: 2, passages: [passage] },
    ];
    const scores = denseScores({ documents, vector: (chunk) => vectors[chunk]! }, Float32Array.of(0, 1));
    expect(scores[0]).toBe(1);
    expect(scores[1]).toBeCloseTo(0.8, 6);
  });

  it("orders by score and then by place, and leaves out what is not above the floor", () => {
    const scores = Float64Array.of(1, 3, 0, 3);
    expect(best(scores, 3)).toEqual([1, 3, 0]);
    expect(bestIds(["a", "b", "c", "d"], scores, 10, 0)).toEqual(["b", "d", "a"]);
  });

  it("fuses each side between its least and its greatest, as worked out by hand", () => {
    const fused = hybridScores(Float64Array.of(0.2, 0.6, 0.4), Float64Array.of(10, 0, 5), 0.6);
    expect([...fused]).toEqual([
      expect.closeTo(0.4, 12),
      expect.closeTo(0.6, 12),
      expect.closeTo(0.6 * 0.5 + 0.4 * 0.5, 12),
    ]);
  });

  it("gives what no side proposes less than anything it proposes", () => {
    const dense = Float64Array.from({ length: 500 }, (_, at) => 500 - at);
    const fused = hybridScores(dense, new Float64Array(500), 0.5);
    expect(fused.filter((score) => score >= 0).length).toBe(400);
    expect(fused[400]).toBe(-1);
  });

  it("scores words by their idf and nothing where none occurs", () => {
    const tokenizer = loadTokenizer(TINY_TOKENIZER);
    const documents = ["river lake", "river song", "king"].map((text, at) => ({
      firstChunk: at,
      passages: [passage],
      bag: bagOf(tokenizer.ids(text)),
      learned: null,
    }));
    const score = sparseScorer({ documents }, tokenizer, { k1: 0.9, b: 0.4, alpha: 0, least: 0 });
    const [first, second, third] = score("river lake");
    expect(first).toBeGreaterThan(second!);
    expect(second).toBeGreaterThan(0);
    expect(third).toBe(0);
  });
});
