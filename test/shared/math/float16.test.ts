import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHalf, roundToHalf, toHalf } from "../../../shared/math/float16.ts";

describe("halves", () => {
  it("come back from every one of their 65,536 bit patterns", () => {
    for (let half = 0; half < 65_536; half++) {
      const value = fromHalf(half);
      if (Number.isNaN(value)) expect(Number.isNaN(roundToHalf(value))).toBe(true);
      else expect(toHalf(value)).toBe(half);
    }
  });

  it("are the nearest to a float32, ties to even, as the runtime's own rounding says", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        expect(Object.is(roundToHalf(value), Math.f16round(value))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });
});
