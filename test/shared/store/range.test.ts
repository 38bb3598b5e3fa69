import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkLength, checkRange } from "../../../shared/store/range.ts";

const corrupt = expect.objectContaining({ code: "blob/corrupt", details: { blob: "a" } });

describe("checkRange", () => {
  it("agrees with slice on every small range", () => {
    const size = fc.integer({ min: 0, max: 8 });
    const bound = fc.integer({ min: -2, max: 10 });
    fc.assert(
      fc.property(size, bound, bound, (bytes, offset, length) => {
        const whole = offset >= 0 && length >= 0 && offset <= bytes;
        const fits = whole && new Uint8Array(bytes).slice(offset, offset + length).length === length;
        if (fits) checkRange("a", offset, length, bytes);
        else expect(() => checkRange("a", offset, length, bytes)).toThrow(corrupt);
      }),
    );
  });

  it.each([
    [2 ** 53, 0],
    [2 ** 53 - 1, 1],
    [Number.POSITIVE_INFINITY, 1],
    [0, Number.NaN],
    [0.5, 1],
  ])("refuses %d and %d before the size is known", (offset, length) => {
    expect(() => checkRange("a", offset, length)).toThrow(corrupt);
  });
});

describe("checkLength", () => {
  it("refuses a body of any other length", () => {
    checkLength("a", 3, 3);
    for (const got of [0, 2, 4]) expect(() => checkLength("a", 3, got)).toThrow(corrupt);
  });
});
