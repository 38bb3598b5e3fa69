import { beforeAll, describe, expect, it } from "vitest";
import { negationPairs } from "../../../../indexer/evaluate/robustness/negation.ts";
import { figuresOf, type Pair, pairRows } from "../../../../indexer/evaluate/robustness/pairs.ts";
import type { Subject } from "../../../../indexer/evaluate/robustness/suite.ts";
import { rolePairs } from "../../../../indexer/evaluate/robustness/word-order.ts";
import { tinySubject } from "../../../helpers/tiny-subject.ts";

let subject: Subject;
beforeAll(async () => {
  subject = await tinySubject();
});

describe("figures of pairs", () => {
  it("count a pair where both queries prefer their own document, and a tie as half a query", () => {
    const figures = figuresOf([
      [
        [0.9, 0.5],
        [0.8, 0.6],
      ],
      [
        [0.9, 0.5],
        [0.5, 0.9],
      ],
      [
        [0.7, 0.7],
        [0.7, 0.7],
      ],
    ]);
    expect(figures["pairs right"].value).toBeCloseTo(1 / 3, 12);
    expect(figures["queries right"].value).toBeCloseTo((1 + 0.5 + 0.5) / 3, 12);
    expect(figures["mean margin"]!.value).toBeCloseTo(0.1, 12);
  });

  it("have no margin where scores are no cosines", () => {
    expect(
      figuresOf(
        [
          [
            [1, 0],
            [1, 0],
          ],
        ],
        "bm25",
      ),
    ).not.toHaveProperty("mean margin");
  });
});

describe("pairs", () => {
  it("of swapped roles are at least 500, each of two sentences with the same words", () => {
    const words = (text: string) => text.split(" ").sort();
    for (const queries of ["sentence", "other"] as const) {
      const pairs = rolePairs(queries);
      expect(pairs.length).toBeGreaterThanOrEqual(500);
      expect(new Set(pairs.map((pair) => pair.documents.join("|"))).size).toBe(pairs.length);
      for (const pair of pairs) {
        for (const [one, other] of [pair.documents, pair.queries]) {
          expect(one).not.toBe(other);
          expect(words(one)).toEqual(words(other));
          expect(one).not.toMatch(/[{}]/u);
        }
      }
    }
  });

  it("with and without a negation differ, in documents and queries", () => {
    const pairs = negationPairs();
    expect(pairs.length).toBeGreaterThan(200);
    expect(new Set(pairs.map((pair) => pair.documents.join("|"))).size).toBe(pairs.length);
    for (const { documents, queries } of pairs) {
      expect(documents[0]).not.toBe(documents[1]);
      expect(queries[0]).not.toBe(queries[1]);
      expect([...documents, ...queries].join()).not.toMatch(/[{}]/u);
    }
  });
});

describe("a pair's scores", () => {
  it("of a bag of words cannot tell swapped words apart: one query right, the other wrong", async () => {
    const pair: Pair = {
      documents: ["king sings song", "song sings king"],
      queries: ["king sings song", "song sings king"],
    };
    const rows = await pairRows(subject, "swap", [pair]);
    expect(rows.map(({ name }) => name)).toEqual([
      "swap: table",
      "swap: full encoder",
      "swap: sparse",
      "swap: bm25",
    ]);
    const [table, encoder, sparse, bm25] = rows.map(({ figures }) => figures);
    expect(table).toMatchObject({ "pairs right": { value: 0 }, "queries right": { value: 0.5 } });
    expect(table!["mean margin"]!.value).toBeCloseTo(0, 6);
    // The tiny encoder hears the order a little.
    expect(encoder).toMatchObject({ "pairs right": { value: 1 }, "queries right": { value: 1 } });
    for (const figures of [sparse, bm25]) expect(figures).toMatchObject({ "queries right": { value: 0.5 } });
  });

  it("tell apart documents of other words, on every side", async () => {
    const pair: Pair = {
      documents: ["river lake water", "violin melody song"],
      queries: ["lake water", "melody song"],
    };
    for (const { figures } of await pairRows(subject, "topics", [pair])) {
      expect(figures["pairs right"]!.value).toBe(1);
    }
  });
});
