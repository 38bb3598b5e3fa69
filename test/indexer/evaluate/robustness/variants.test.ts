import { describe, expect, it } from "vitest";
import type { JudgedQuery } from "../../../../indexer/evaluate/collection.ts";
import { byRanker, type RankerName } from "../../../../indexer/evaluate/robustness/rankers.ts";
import type { Subject } from "../../../../indexer/evaluate/robustness/suite.ts";
import {
  identicalRow,
  keptRow,
  typedRow,
  variantsOf,
} from "../../../../indexer/evaluate/robustness/variants.ts";

const QUERIES: readonly JudgedQuery[] = ["one", "two"].map((text) => ({
  id: text,
  text,
  grades: new Map([[`${text}-right`, 1]]),
}));

/** Every ranker finds the right document first, but after a "!" BM25 finds it third and hybrid another one besides. */
const RANKINGS: Subject["rankAll"] = async (texts) =>
  texts.map((text) => {
    const right = `${text.replaceAll("!", "")}-right`;
    return byRanker((ranker: RankerName) => {
      if (!text.includes("!")) return [right, "x"];
      if (ranker === "bm25") return ["x", "y", right];
      return ranker === "hybrid" ? [right, "z"] : [right, "x"];
    });
  });

const subject = { sample: QUERIES, rankAll: RANKINGS, seed: 1 };

describe("variants", () => {
  it("are one for each query that can be said so, the same for the same seed", () => {
    const draw = (seed: number) =>
      variantsOf({ ...subject, seed }, (text, random) =>
        text === "two" ? null : `${text} ${random.below(1e9)}`,
      );
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1).map(({ query, base }) => [query, base])).toEqual([[0, "one"]]);
  });

  it("may bring a base of their own", () => {
    expect(variantsOf(subject, (text) => [`${text}.`, `${text}!`])[1]).toEqual({
      query: 1,
      base: "two.",
      text: "two!",
    });
  });
});

describe("what is kept", () => {
  it("is nDCG@10 of the variants over that of their bases, by ranker", async () => {
    const row = await keptRow(
      subject,
      "marked",
      variantsOf(subject, (text) => `${text}!`),
    );
    expect(row).toMatchObject({ name: "marked", count: 2 });
    // Third instead of first: 1 / log2(4), for both queries, so the interval has no width.
    expect(row.figures.bm25).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
    expect(row.figures.dense).toEqual({ value: 1, low: 1, high: 1 });
    expect(row.figures["overlap hybrid"]!.value).toBe(0.5);
    expect(row.figures["overlap dense"]!.value).toBe(1);
  });

  it("counts a query once, however many variants it has", async () => {
    const marked = variantsOf(subject, (text) => `${text}!`);
    const same = variantsOf(subject, (text) => text).slice(0, 1);
    const row = await keptRow(subject, "some", [...same, ...marked]);
    expect(row.count).toBe(2);
    // (1 + 0.5) / 2 for the first query and 0.5 for the second.
    expect(row.figures.bm25!.value).toBeCloseTo(0.625, 12);
  });

  it("of no variant is no figure", async () => {
    expect(await keptRow(subject, "none", [])).toEqual({ name: "none", count: 0, figures: {} });
    expect(await identicalRow(subject, "none", [])).toEqual({ name: "none", count: 0, figures: {} });
  });

  it("stands beside the nDCG@10 of the queries as typed", async () => {
    const row = await typedRow(subject, "typed");
    expect(row.figures.hybrid!.value).toBe(1);
    expect(row.count).toBe(2);
  });
});

describe("the share that stays the same", () => {
  it("counts a ranking with one other document as changed", async () => {
    const row = await identicalRow(
      subject,
      "marked",
      variantsOf(subject, (text) => `${text}!`),
    );
    expect(row.figures.hybrid!.value).toBe(0);
    expect(row.figures.dense!.value).toBe(1);
  });
});
