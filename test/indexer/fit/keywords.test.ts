import { describe, expect, it } from "vitest";
import { keywordsOf } from "../../../indexer/fit/keywords.ts";

const TEXT =
  "The river carries silt to the delta, and the delta grows by the silt of the river. Engineers measure how much silt the water holds before the dam.";
const PLAN = { total: 1000, perDocument: 50 };
const even = () => 1;

describe("keyword texts", () => {
  it("are words of the document in its order, each once", () => {
    const words = TEXT.match(/\w+/gu)!;
    for (const text of keywordsOf(TEXT, 7, 1, even, PLAN)) {
      const drawn = text.split(" ");
      expect(new Set(drawn).size).toBe(drawn.length);
      let at = 0;
      for (const word of drawn) {
        at = words.indexOf(word, at);
        expect(at).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("leave out words without weight and prefer heavy ones", () => {
    const weigh = (word: string) => (word === "the" ? 0 : word === "delta" ? 50 : 1);
    const drawn = keywordsOf(TEXT, 3, 1, weigh, { total: 400, perDocument: 400 }).map((text) =>
      text.split(" "),
    );
    expect(drawn.flat()).not.toContain("the");
    const share = (word: string) => drawn.filter((words) => words.includes(word)).length / drawn.length;
    expect(share("delta")).toBeGreaterThan(0.6);
    expect(share("water")).toBeLessThan(0.5);
  });

  it("are as many as the plan gives each document", () => {
    expect(keywordsOf(TEXT, 1, 10, even, { total: 1000, perDocument: 6 })).toHaveLength(6);
    expect(keywordsOf(TEXT, 1, 100, even, { total: 300, perDocument: 6 })).toHaveLength(3);
    const counts = Array.from(
      { length: 400 },
      (_, seed) => keywordsOf(TEXT, seed, 400, even, { total: 200, perDocument: 6 }).length,
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(150);
    expect(Math.max(...counts)).toBe(1);
  });

  it("are the same for the same seed, and none without words", () => {
    expect(keywordsOf(TEXT, 5, 1, even, PLAN)).toEqual(keywordsOf(TEXT, 5, 1, even, PLAN));
    expect(keywordsOf(TEXT, 5, 1, even, PLAN)).not.toEqual(keywordsOf(TEXT, 6, 1, even, PLAN));
    expect(keywordsOf(" ... ", 5, 1, even, PLAN)).toEqual([]);
    expect(keywordsOf(TEXT, 5, 1, () => 0, PLAN)).toEqual([]);
  });
});
