import { describe, expect, it } from "vitest";
import {
  kernelAccumulator,
  plainAccumulator,
  postingBlocks,
  postingsFor,
} from "../../../bench/scale/accumulator.ts";
import { Random } from "../../../indexer/random.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";

const random = new Random(3);
const IMPACTS = Array.from({ length: 66_000 }, () => {
  const ids = Uint32Array.from({ length: 20 }, (_, id) => id).filter(() => random.below(10) === 0);
  return { ids, values: Uint8Array.from(ids, () => 1 + random.below(255)) };
});
const QUERY = { terms: [2, 5, 11, 19], weights: [3, 1, 7, 2], scale: 1 };

/** One document after the other, as a map would do it. */
function byDocument(wanted: number) {
  return IMPACTS.map(({ ids, values }, document) => ({
    document,
    score: QUERY.terms.reduce((sum, term, i) => {
      const at = ids.indexOf(term);
      return at < 0 ? sum : sum + QUERY.weights[i]! * values[at]!;
    }, 0),
  }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.document - b.document)
    .slice(0, wanted);
}

describe("the accumulators", () => {
  const blocks = postingBlocks(IMPACTS);

  it("find over several blocks what a look at every document finds", () => {
    expect(blocks.length).toBe(2);
    expect(plainAccumulator(blocks)(QUERY, 50)).toEqual(byDocument(50));
    expect(kernelAccumulator(blocks, createReferenceKernels(1 << 26))(QUERY, 50)).toEqual(byDocument(50));
  });

  it("find the same when they are asked again", () => {
    const search = kernelAccumulator(blocks, createReferenceKernels(1 << 26));
    search({ ...QUERY, weights: [1, 1, 1, 1] }, 10);
    expect(search(QUERY, 10)).toEqual(byDocument(10));
  });

  it("count the postings that they add up", () => {
    const count = IMPACTS.reduce(
      (sum, { ids }) => sum + ids.filter((id) => QUERY.terms.includes(id)).length,
      0,
    );
    expect(postingsFor(blocks, QUERY)).toBe(count);
  });
});
