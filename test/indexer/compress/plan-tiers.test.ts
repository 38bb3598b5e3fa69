import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planTiers, type TierPlan } from "../../../indexer/compress/plan-tiers.ts";

/** What a value of a unit normal loses by so many bits (Max 1960, table I). */
const LOST = [1, 0.3634, 0.1175, 0.03454, 0.009497];

const uses = fc
  .array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 })
  .map((counts) => counts.sort((a, b) => b - a));

const bitsOf = (plan: readonly TierPlan[]) =>
  plan.flatMap(({ rows, bits }) => new Array<number>(rows).fill(bits));
const lossOf = (counts: readonly number[], bits: readonly number[]) =>
  counts.reduce((sum, count, row) => sum + (count + 1) * LOST[bits[row]!]!, 0);

/** Every way to give rows one to four bits. */
function* waysOf(rows: number): Iterable<readonly number[]> {
  for (let way = 0; way < 4 ** rows; way++)
    yield Array.from({ length: rows }, (_, row) => 1 + (Math.floor(way / 4 ** row) % 4));
}

describe("a plan of tiers", () => {
  it("loses no more than any other way to spend as many bits", () => {
    fc.assert(
      fc.property(uses, fc.integer({ min: 0, max: 26 }), (counts, budget) => {
        const plan = planTiers(counts, budget);
        expect(plan === null).toBe(budget < counts.length);
        if (plan === null) return;
        const bits = bitsOf(plan);
        expect(bits).toHaveLength(counts.length);
        expect(bits).toEqual([...bits].sort((a, b) => b - a));
        const spent = bits.reduce((sum, each) => sum + each, 0);
        expect(spent).toBe(Math.min(budget, 4 * counts.length));
        for (const way of waysOf(counts.length)) {
          if (way.reduce((sum, each) => sum + each, 0) > spent) continue;
          expect(lossOf(counts, bits)).toBeLessThanOrEqual(lossOf(counts, way) + 1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives rows that are used alike their bits in their order", () => {
    expect(planTiers([5, 5, 5, 5], 6)).toEqual([
      { rows: 2, bits: 2 },
      { rows: 2, bits: 1 },
    ]);
  });

  it("of no rows is empty", () => {
    expect(planTiers([], 0)).toEqual([]);
  });
});
