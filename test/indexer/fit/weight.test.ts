import { describe, expect, it } from "vitest";
import { type HeldOutScores, pickWeight, weightCurve } from "../../../indexer/fit/weight.ts";
import { Random } from "../../../indexer/random.ts";

const at = (curve: ReturnType<typeof weightCurve>, weight: number) =>
  curve.find((point) => Math.abs(point.weight - weight) < 1e-9)!.ndcg;

/** A question whose own document stands first by one side and nowhere by the other. */
function question(side: "dense" | "sparse", own: number, random: Random): HeldOutScores {
  const noise = () => Float64Array.from({ length: 60 }, () => random.bits() / 2 ** 32);
  const scores = { dense: noise(), sparse: noise(), own };
  scores[side][own] = 3;
  return scores;
}

/** The measure written down plainly: normalise, add, sort, look. */
function plain({ dense, sparse, own }: HeldOutScores, weight: number): number {
  const normal = (scores: Float64Array) => {
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    return scores.map((score) => (high > low ? (score - low) / (high - low) : 0));
  };
  const [x, y] = [normal(dense), normal(sparse)];
  const fused = Array.from(x, (value, i) => weight * value + (1 - weight) * y[i]!);
  const rank = 1 + fused.filter((value, i) => i !== own && value >= fused[own]!).length;
  return rank <= 10 ? 1 / Math.log2(rank + 1) : 0;
}

describe("the weight of held-out questions", () => {
  it("has the curve that sorting every question's documents gives", () => {
    const random = new Random(4);
    const questions = Array.from({ length: 20 }, (_, i) =>
      question(i % 3 === 0 ? "dense" : "sparse", random.below(60), random),
    );
    for (const { weight, ndcg } of weightCurve(questions)) {
      const wanted = questions.reduce((sum, each) => sum + plain(each, weight), 0) / questions.length;
      expect(ndcg).toBeCloseTo(wanted, 10);
    }
  });

  it("goes to the side that finds what questions were cut from", () => {
    const random = new Random(8);
    const of = (side: "dense" | "sparse") =>
      weightCurve(Array.from({ length: 30 }, (_, own) => question(side, own, random)));
    expect(pickWeight(of("dense"))).toBe(0.8);
    expect(at(of("dense"), 1)).toBe(1);
    expect(pickWeight(of("sparse"))).toBeLessThan(0.7);
    expect(at(of("sparse"), 0)).toBe(1);
  });

  it("is the greatest that loses at most one and a half per cent", () => {
    const curve = [0.6, 0.8, 0.79, 0.787, 0.5].map((ndcg, i) => ({ weight: i / 4, ndcg }));
    expect(pickWeight(curve)).toBe(0.5);
    expect(pickWeight(curve.map(({ weight }) => ({ weight, ndcg: 0 })))).toBe(0.8);
  });

  it("finds nothing for a document that neither side proposes", () => {
    const many = { dense: new Float64Array(1000).fill(1), sparse: new Float64Array(1000).fill(1), own: 999 };
    many.dense[999] = 0;
    many.sparse[999] = 0;
    expect(weightCurve([many]).every(({ ndcg }) => ndcg === 0)).toBe(true);
  });
});
