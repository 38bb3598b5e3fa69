import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numbersOf, roundToHalves, singlesOf } from "../../../indexer/cached/halves.ts";
import { fromHalf, toHalf } from "../../../shared/math/float16.ts";

/** Numbers from their bits, so that every kind comes up: tiny ones, ties, the greatest, and those that are none. */
function fromBits(bits: readonly number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

describe("rounding many numbers to halves", () => {
  it("gives what rounding one gives, for any bits", () => {
    const bits = fc.oneof(
      fc.integer({ min: 0, max: 0xffffffff }),
      // About the least normal half, and about the greatest.
      fc.integer({ min: 0x33000000 - 4, max: 0x38800000 + 0x4000 }),
      fc.integer({ min: 0x477fd000, max: 0x47800000 }),
      // Half-way between two halves.
      fc.integer({ min: 0, max: 0x3ffff }).map((half) => (half << 13) | 0x1000),
    );
    fc.assert(
      fc.property(fc.array(bits, { minLength: 1, maxLength: 50 }), (all) => {
        const values = fromBits(all.map((value) => value >>> 0));
        const to = new Uint16Array(values.length);
        const bad = roundToHalves(singlesOf(values), 0, values.length, to, 0);
        const wanted = Array.from(values, toHalf);
        const first = wanted.findIndex((half) => (half & 0x7c00) === 0x7c00);
        expect(bad).toBe(first);
        const end = first < 0 ? values.length : first;
        expect([...to.subarray(0, end)]).toEqual(wanted.slice(0, end));
      }),
      { numRuns: 2000 },
    );
  });

  it("reads and writes where it is told and nowhere else", () => {
    const to = new Uint16Array(6).fill(9);
    expect(roundToHalves(singlesOf(Float32Array.of(Number.NaN, 1, 2, Number.NaN)), 1, 2, to, 3)).toBe(-1);
    expect([...to]).toEqual([9, 9, 9, toHalf(1), toHalf(2), 9]);
  });
});

describe("halves as numbers", () => {
  it("are those of one by one, for all there are", () => {
    const halves = Uint16Array.from({ length: 1 << 16 }, (_, half) => half);
    const numbers = new Float32Array(halves.length);
    numbersOf(halves, numbers);
    expect(numbers).toEqual(Float32Array.from(halves, (half) => fromHalf(half)));
  });
});
