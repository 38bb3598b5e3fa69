import { describe, expect, it } from "vitest";
import { renderEvaluation, renderRobustness, renderTuning } from "../../../indexer/commands/eval-output.ts";
import type { Evaluation } from "../../../indexer/evaluate/evaluate.ts";

const scores = { "ndcg@10": 0.5, "recall@100": 0.75, "mrr@10": 0.25 };
const interval = { low: 0.4, high: 0.6 };
const EVALUATION: Evaluation = {
  collection: "tiny",
  queries: 2,
  documents: 3,
  weight: 0.65,
  modes: { hybrid: scores },
  intervals: { "ndcg@10": { hybrid: interval } },
};

describe("what eval prints", () => {
  it("is a line a mode with its measures and the interval of the first", () => {
    expect(renderEvaluation(EVALUATION).split("\n")).toEqual([
      "tiny: 2 queries, 3 documents, dense share 0.65",
      "                  ndcg@10 recall@100     mrr@10   95 % of ndcg@10",
      "  hybrid           0.5000     0.7500     0.2500   0.4000 to 0.6000",
    ]);
  });

  it("says what is kept of the full encoder where it was measured", () => {
    const text = renderEvaluation({
      ...EVALUATION,
      kept: { dense: 0.9, hybrid: 0.95, "hybrid/full-dense": 1.01 },
      intervals: {
        ...EVALUATION.intervals,
        kept: { dense: interval, hybrid: interval, "hybrid/full-dense": interval },
      },
    });
    expect(text).toContain("kept: dense 0.900 (0.400 to 0.600), hybrid 0.950");
    expect(text).toContain("hybrid against full dense 1.010");
  });

  it("marks the weight chosen, names the queries it was chosen on, and says how to set it", () => {
    const text = renderTuning({
      from: "half of tiny",
      queries: 7,
      shared: 2,
      curve: [
        { weight: 0.5, "ndcg@10": 0.4 },
        { weight: 0.55, "ndcg@10": 0.41 },
      ],
      weight: 0.55,
      reported: {
        own: { weight: 0.5, "ndcg@10": 0.3 },
        chosen: { weight: 0.55, "ndcg@10": 0.32 },
        gain: { low: -0.01, high: 0.05 },
      },
    });
    expect(text).toContain("chosen on 7 queries: half of tiny, without 2 that are reported");
    expect(text.split("\n").filter((line) => line.endsWith("<"))).toEqual([
      expect.stringMatching(/^ {2}0\.55/u),
    ]);
    expect(text).toContain("(gain -0.0100 to 0.0500)");
    expect(text).toContain("lightedge index ... --weight 0.55");
  });

  it("has a table for each robustness suite, with a dash where a column does not apply", () => {
    const text = renderRobustness({
      seed: 3,
      sample: 9,
      suites: [
        {
          suite: "typos",
          measure: "Kept",
          unit: "queries",
          rows: [
            { name: "one", count: 9, figures: { hybrid: { value: 0.5, ...interval } } },
            { name: "passages", count: 9, figures: { hybrid: { value: -1e-9 }, dense: { value: 20 } } },
          ],
        },
      ],
    });
    expect(text.split("\n")).toEqual([
      "robustness: 9 queries said in other ways, seed 3",
      "",
      "typos: Kept.",
      "               queries  hybrid   dense",
      "  one               9   0.500       -",
      "  passages          9   0.000      20",
    ]);
  });
});
