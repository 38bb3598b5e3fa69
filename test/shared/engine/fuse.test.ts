import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, type RankingRule, rank } from "../../../shared/engine/fuse.ts";
import { FUSION_RULES, MODES } from "../../../shared/types.ts";
import { candidate, ruleOf } from "./candidates.ts";

const RULES = MODES.flatMap((mode) => FUSION_RULES.map((fusion) => ruleOf({ mode, fusion })));

function order(candidates: readonly Candidate[], rule: RankingRule, depth = 100): readonly number[] {
  return rank(candidates, rule, depth).map(({ candidate: { document } }) => document);
}

describe("an empty pool", () => {
  it("gives an empty ranking by every rule", () => {
    for (const rule of RULES) expect(rank([], rule, 10)).toEqual([]);
  });
});

describe("one candidate", () => {
  it("normalises to 0 on both sides by min-max and by distribution", () => {
    for (const fusion of ["minmax", "dbsf"] as const)
      expect(rank([candidate(3, 0.8, 5)], ruleOf({ fusion }), 10)).toMatchObject([
        { score: 0, dense: 0, sparse: 0 },
      ]);
  });

  it("has the first place, which counts 1, by reciprocal rank", () => {
    expect(rank([candidate(3, 0.8, 5)], ruleOf({ fusion: "rrf" }), 10)).toMatchObject([
      { score: 1, dense: 1, sparse: 1 },
    ]);
  });
});

describe("the order in which candidates come", () => {
  it("changes no bit of a score, since other shards bring them in another", () => {
    const candidates = Array.from({ length: 40 }, (_, at) =>
      candidate(at, Math.sin(at) / 3, 10 * Math.abs(Math.cos(7 * at))),
    );
    for (const rule of RULES)
      expect(rank([...candidates].reverse(), rule, 40).map(({ score }) => score)).toEqual(
        rank(candidates, rule, 40).map(({ score }) => score),
      );
  });
});

describe("equal scores", () => {
  it("normalise to 0 on their side and leave the other side to decide", () => {
    const candidates = [candidate(0, 0.5, 1), candidate(1, 0.5, 3), candidate(2, 0.5, 2)];
    for (const fusion of ["minmax", "dbsf"] as const) {
      const ranked = rank(candidates, ruleOf({ fusion }), 10);
      expect(ranked.map(({ candidate: { document } }) => document)).toEqual([1, 2, 0]);
      for (const { dense } of ranked) expect(dense).toBe(0);
    }
  });

  it("normalise to 0 by distribution even where their mean is not quite equal to them", () => {
    // The sum of three tenths is 0.30000000000000004.
    const ranked = rank(
      [0, 1, 2].map((at) => candidate(at, 0.1, 0)),
      ruleOf({ fusion: "dbsf" }),
      10,
    );
    expect(ranked.map(({ dense }) => dense)).toEqual([0, 0, 0]);
  });

  it("share a rank by reciprocal rank, and the next one counts all of them", () => {
    const candidates = [candidate(0, 0.5, 0), candidate(1, 0.5, 0), candidate(2, 0.4, 0)];
    const ranked = rank(candidates, ruleOf({ fusion: "rrf", weight: 1 }), 10);
    expect(ranked.map(({ dense }) => dense)).toEqual([1, 1, 61 / 63]);
  });
});

describe("ties", () => {
  it("go to the smaller id by every rule, in whatever order candidates come", () => {
    const candidates = [7, 2, 9, 4].map((document) => candidate(document, 0.5, 2));
    for (const rule of RULES) expect(order(candidates, rule)).toEqual([2, 4, 7, 9]);
  });

  it("go to the smaller id where only the first few are wanted", () => {
    const candidates = Array.from({ length: 40 }, (_, at) => candidate(39 - at, 0.5, 2));
    for (const rule of RULES) expect(order(candidates, rule, 3)).toEqual([0, 1, 2]);
  });
});

describe("a sparse side of nothing but zeros", () => {
  it("adds nothing by any rule", () => {
    const candidates = [candidate(0, 0.2, 0), candidate(1, 0.9, 0), candidate(2, 0.5, 0)];
    for (const fusion of FUSION_RULES) {
      const ranked = rank(candidates, ruleOf({ fusion }), 10);
      expect(ranked.map(({ candidate: { document } }) => document)).toEqual([1, 2, 0]);
      for (const { sparse, score, dense } of ranked) {
        expect(sparse).toBe(0);
        expect(score).toBe(0.5 * dense);
      }
    }
  });

  it("leaves a sparse ranking empty", () => {
    expect(order([candidate(0, 0.2, 0), candidate(1, 0.9, 0)], ruleOf({ mode: "sparse" }))).toEqual([]);
  });
});

describe("a candidate that one side did not propose", () => {
  it("keeps its true score there, above that side's minimum", () => {
    const candidates = [
      candidate(0, 0.9, 0),
      candidate(1, 0.1, 4, { byDense: "none" }),
      candidate(2, 0.5, 2, { byDense: "none" }),
    ];
    const [, second] = rank(candidates, ruleOf({ weight: 0.9 }), 10);
    expect(second?.candidate.document).toBe(2);
    expect(second?.dense).toBeCloseTo(0.5, 12);
  });

  it("is not in a ranking by that side alone", () => {
    const candidates = [candidate(0, 0.9, 0), candidate(1, 0.99, 4, { byDense: "none" })];
    expect(order(candidates, ruleOf({ mode: "dense" }))).toEqual([0]);
    expect(order(candidates, ruleOf({ mode: "sparse" }))).toEqual([1]);
  });
});

describe("far candidates", () => {
  const near = [candidate(5, 0.4, 1), candidate(6, 0.2, 2)];
  const far = [
    candidate(1, 0.9, 9, { byDense: "far", bySparse: "far" }),
    candidate(2, 0.8, 8, { byDense: "far", bySparse: "far" }),
  ];

  it("rank behind all near ones, whatever their scores", () => {
    for (const rule of RULES) {
      const places = order([...far, ...near], rule);
      expect(places.slice(0, 2).sort()).toEqual([5, 6]);
      expect(places.slice(2)).toEqual([1, 2]);
    }
  });

  it("do not change the scores of near ones", () => {
    for (const rule of RULES)
      expect(rank([...far, ...near], rule, 100).slice(0, 2)).toEqual(rank(near, rule, 100));
  });

  it("may pass 1 or fall below 0 by min-max, whose ends are those of near ones", () => {
    const low = candidate(3, 0.1, 0, { byDense: "far" });
    const ranked = rank([...near, ...far, low], ruleOf({ weight: 1 }), 100);
    const dense = new Map(ranked.map((item) => [item.candidate.document, item.dense]));
    expect(dense.get(1)).toBeCloseTo(3.5, 12);
    expect(dense.get(3)).toBeCloseTo(-0.5, 12);
  });

  it("are those of the side itself in a ranking by one side", () => {
    // Near by the postings alone: by the embedding it is far, so a nearer one comes first.
    const candidates = [
      candidate(0, 0.3, 0),
      candidate(1, 0.9, 5, { byDense: "far", bySparse: "near" }),
      candidate(2, 0.2, 0),
    ];
    expect(order(candidates, ruleOf({ mode: "dense" }))).toEqual([0, 2, 1]);
  });

  it("are not asked for where near ones fill the page", () => {
    expect(order([...far, ...near], ruleOf({ mode: "dense" }), 2)).toEqual([5, 6]);
    expect(order([...far, ...near], ruleOf({ mode: "dense" }), 3)).toEqual([5, 6, 1]);
  });
});

describe("min-max", () => {
  it("gives the best 1, the worst 0 and the rest what lies between", () => {
    const candidates = [candidate(0, -0.5, 0), candidate(1, 0.5, 0), candidate(2, 0.25, 0)];
    const ranked = rank(candidates, ruleOf({ weight: 1 }), 10);
    expect(ranked.map(({ dense }) => dense)).toEqual([1, 0.75, 0]);
  });

  it("weighs the sides as the rule says", () => {
    const candidates = [candidate(0, 1, 0), candidate(1, 0, 1), candidate(2, 0, 0)];
    const ranked = rank(candidates, ruleOf({ weight: 0.7 }), 10);
    expect(ranked.map(({ score }) => score)).toEqual([0.7, 1 - 0.7, 0]);
  });
});

describe("reciprocal rank", () => {
  it("gives 61 / (60 + rank), and nothing for a sparse score of 0", () => {
    const candidates = [candidate(0, 0.1, 3), candidate(1, 0.2, 0), candidate(2, 0.3, 7)];
    const ranked = rank(candidates, ruleOf({ fusion: "rrf" }), 10);
    expect(ranked.map((item) => [item.candidate.document, item.dense, item.sparse])).toEqual([
      [2, 1, 1],
      [0, 61 / 63, 61 / 62],
      [1, 61 / 62, 0],
    ]);
  });
});

describe("distribution-based fusion", () => {
  it("gives the mean one half and a standard deviation a sixth", () => {
    const candidates = [candidate(0, 1, 0), candidate(1, 3, 0)];
    const ranked = rank(candidates, ruleOf({ fusion: "dbsf", weight: 1 }), 10);
    expect(ranked[0]!.dense).toBeCloseTo(0.5 + 1 / 6, 12);
    expect(ranked[1]!.dense).toBeCloseTo(0.5 - 1 / 6, 12);
  });

  it("cuts what lies three deviations out to 0 and 1", () => {
    const crowd = Array.from({ length: 98 }, (_, at) => candidate(at, 0.5, 0));
    const candidates = [...crowd, candidate(98, 9, 0), candidate(99, -8, 0)];
    const ranked = rank(candidates, ruleOf({ fusion: "dbsf", weight: 1 }), 100);
    expect(ranked[0]).toMatchObject({ dense: 1, candidate: { document: 98 } });
    expect(ranked[99]).toMatchObject({ dense: 0, candidate: { document: 99 } });
  });
});

describe("a ranking", () => {
  // Scores come out of whole numbers, so two of them are equal or differ by much more than a rounding.
  const score = fc.oneof(
    fc.constantFrom(0, 0.1, 0.5),
    fc.integer({ min: -(2 ** 20), max: 2 ** 20 }).map((value) => value / 2 ** 20),
  );
  const pool = fc
    .array(fc.tuple(score, score, fc.constantFrom("near", "far")), { maxLength: 60 })
    .map((items) =>
      items.map(([dense, sparse, tier], at) =>
        candidate(at, dense, Math.max(0, sparse), {
          byDense: tier,
          bySparse: sparse > 0 ? tier : "none",
        }),
      ),
    );
  const rule = fc.constantFrom(...RULES);

  it("of a few is the beginning of the ranking of all", () => {
    fc.assert(
      fc.property(pool, rule, fc.integer({ min: 1, max: 70 }), (candidates, by, depth) => {
        expect(rank(candidates, by, depth)).toEqual(rank(candidates, by, 1000).slice(0, depth));
      }),
    );
  });

  it("has finite scores, descending within each tier", () => {
    fc.assert(
      fc.property(pool, rule, (candidates, by) => {
        const ranked = rank(candidates, by, 1000);
        const isNear = (item: (typeof ranked)[number]) =>
          item.candidate.byDense === "near" || item.candidate.bySparse === "near";
        for (const tier of [ranked.filter(isNear), ranked.filter((item) => !isNear(item))]) {
          const scores = tier.map((item) => item.score);
          expect(scores.every(Number.isFinite)).toBe(true);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
        }
      }),
    );
  });
});
