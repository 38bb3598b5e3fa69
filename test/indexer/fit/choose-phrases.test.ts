import { describe, expect, it } from "vitest";
import { choosePhrases } from "../../../indexer/fit/choose-phrases.ts";

const corpusOf = (chunks: readonly (readonly number[])[]) => ({
  chunks: chunks.length,
  tokens: (chunk: number) => chunks[chunk]!,
});
const PLAN = { most: 10, least: 2, chunks: 100 };

describe("the pairs that get a row", () => {
  it("are those of several chunks, in the order of their tokens", () => {
    const corpus = corpusOf([
      [9, 1, 2, 3],
      [1, 2, 9, 1],
      [4, 5],
      [1, 2, 3],
    ]);
    expect(Array.from(choosePhrases(corpus, 10, PLAN))).toEqual([1, 2, 2, 3, 9, 1]);
  });

  it("count a chunk once, however often it has them", () => {
    expect(Array.from(choosePhrases(corpusOf([[1, 2, 1, 2, 1, 2]]), 10, PLAN))).toEqual([]);
  });

  it("are the most frequent where there are too many, the lower tokens on a tie", () => {
    const corpus = corpusOf([
      [7, 8],
      [7, 8],
      [7, 8],
      [5, 6],
      [5, 6],
      [1, 2],
      [1, 2],
    ]);
    expect(Array.from(choosePhrases(corpus, 10, { ...PLAN, most: 2 }))).toEqual([1, 2, 7, 8]);
    expect(Array.from(choosePhrases(corpus, 10, { ...PLAN, most: 0 }))).toEqual([]);
  });

  it("keep both tokens of a large vocabulary apart", () => {
    const chunk = [151_664, 151_663, 0, 151_664];
    const corpus = corpusOf([chunk, chunk]);
    expect(Array.from(choosePhrases(corpus, 151_665, PLAN))).toEqual([
      0, 151_664, 151_663, 0, 151_664, 151_663,
    ]);
  });

  it("are counted in chunks from all over a large collection", () => {
    const corpus = corpusOf(Array.from({ length: 1000 }, (_, at) => (at < 500 ? [1, 2] : [3, 4])));
    expect(Array.from(choosePhrases(corpus, 10, { ...PLAN, chunks: 10 }))).toEqual([1, 2, 3, 4]);
  });
});
