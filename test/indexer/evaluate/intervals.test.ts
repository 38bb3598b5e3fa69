import { describe, expect, it } from "vitest";
import {
  bootstrap,
  differenceInterval,
  meanInterval,
  ratioInterval,
} from "../../../indexer/evaluate/intervals.ts";
import { Random } from "../../../indexer/random.ts";

const random = new Random(4);
const uniform = () => random.bits() / 2 ** 32;
const VALUES = Array.from({ length: 400 }, uniform);

describe("the bootstrap interval", () => {
  it("of equal values is that value", () => {
    expect(meanInterval([0.25, 0.25, 0.25])).toEqual({ low: 0.25, high: 0.25 });
  });

  it("of a mean agrees with the normal approximation, which is right for many values", () => {
    const mean = VALUES.reduce((sum, value) => sum + value, 0) / VALUES.length;
    const variance = VALUES.reduce((sum, value) => sum + (value - mean) ** 2, 0) / VALUES.length;
    const half = 1.96 * Math.sqrt(variance / VALUES.length);
    const { low, high } = meanInterval(VALUES);
    expect(Math.abs(low - (mean - half))).toBeLessThan(0.1 * half);
    expect(Math.abs(high - (mean + half))).toBeLessThan(0.1 * half);
  });

  it("holds the true mean of a population in about 95 of 100 samples", () => {
    const held = Array.from({ length: 200 }, () => {
      const { low, high } = meanInterval(Array.from({ length: 60 }, uniform));
      return low <= 0.5 && 0.5 <= high;
    }).filter(Boolean).length;
    expect(held).toBeGreaterThan(180);
    expect(held).toBeLessThanOrEqual(199);
  });

  it("is the 26th and the 975th of a thousand resampled values in order", () => {
    let calls = 0;
    // The statistic ignores what is drawn: its values are a permutation of 0 to 999.
    const interval = bootstrap(3, () => (calls++ * 7) % 1000);
    expect(calls).toBe(1000);
    expect(interval).toEqual({ low: 25, high: 974 });
  });

  it("is the same for the same values", () => {
    expect(meanInterval(VALUES)).toEqual(meanInterval([...VALUES]));
  });
});

describe("a ratio's interval", () => {
  it("has no width where one list is a fixed share of the other, as the queries drawn are the same", () => {
    const { low, high } = ratioInterval(
      VALUES.map((value) => value * 0.9),
      VALUES,
    );
    expect(low).toBeCloseTo(0.9, 12);
    expect(high).toBeCloseTo(0.9, 12);
  });

  it("is the ratio of sums, as a twin that draws by hand has it", () => {
    const above = VALUES.slice(0, 50);
    const below = VALUES.slice(50, 100);
    const twin = bootstrap(50, (picked) => {
      const chosen = Array.from(picked);
      return (
        chosen.reduce((sum, at) => sum + above[at]!, 0) / chosen.reduce((sum, at) => sum + below[at]!, 0)
      );
    });
    expect(ratioInterval(above, below)).toEqual(twin);
    const plain = above.reduce((sum, value) => sum + value, 0) / below.reduce((sum, value) => sum + value, 0);
    expect(twin.low).toBeLessThan(plain);
    expect(twin.high).toBeGreaterThan(plain);
  });
});

describe("a difference's interval", () => {
  it("lies on one side of 0 where every query gains", () => {
    const { low, high } = differenceInterval(
      VALUES.map((value, at) => value + 0.01 + (at % 3) / 100),
      VALUES,
    );
    expect(low).toBeGreaterThan(0.01);
    expect(high).toBeLessThan(0.03);
  });
});
