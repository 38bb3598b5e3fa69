import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RowBits } from "../../../shared/kernels/kernels.ts";
import { packRow, rowBytes, unpackRow } from "../../../shared/kernels/packing.ts";

const WIDTHS = [1, 2, 3, 4, 8] as const;

describe("row packing", () => {
  test.each(WIDTHS)("gives back every code at %i bits", (bits) => {
    const [min, max] = bits === 8 ? [-128, 127] : [0, 2 ** bits - 1];
    const codes = fc
      .constantFrom(128, 256, 384)
      .chain((length) => fc.int8Array({ min, max, minLength: length, maxLength: length }));
    fc.assert(
      fc.property(codes, (given) => {
        // Not zeroed, as the caller's buffer may have served before.
        const row = new Uint8Array(rowBytes(given.length, bits)).fill(255);
        packRow(given, bits, row);
        expect(unpackRow(row, bits, given.length)).toEqual(given);
      }),
      { numRuns: 30 },
    );
  });

  // One code of all ones in the second block, and the bits that docs/format.md says it takes.
  test.each<[RowBits, number, readonly [number, number][]]>([
    [8, 128 + 37, [[128 + 37, 0b1111_1111]]],
    [4, 128 + 37, [[64 + 16 + 5, 0b0000_1111]]],
    [4, 128 + 53, [[64 + 16 + 5, 0b1111_0000]]],
    [2, 128 + 37, [[32 + 5, 0b0011_0000]]],
    [2, 128 + 127, [[32 + 16 + 15, 0b1100_0000]]],
    [
      3,
      128 + 37,
      [
        [48 + 5, 0b0011_0000],
        [48 + 32 + 5, 0b0000_0100],
      ],
    ],
    [
      3,
      128 + 127,
      [
        [48 + 16 + 15, 0b1100_0000],
        [48 + 32 + 15, 0b1000_0000],
      ],
    ],
  ])("puts value %i bits wide, number %i, where the format says", (bits, value, places) => {
    const codes = new Int8Array(256);
    codes[value] = bits === 8 ? -1 : 2 ** bits - 1;
    const row = new Uint8Array(rowBytes(256, bits));
    packRow(codes, bits, row);
    const used = [...row.entries()].filter(([, byte]) => byte !== 0);
    expect(used).toEqual(places);
  });

  test("refuses a code that does not fit, a dimension that is no multiple of 128 and a wrong length", () => {
    expect(() => packRow(new Uint8Array(128).fill(8), 3, new Uint8Array(48))).toThrow("code 8");
    expect(() => packRow(new Int8Array(128).fill(-1), 4, new Uint8Array(64))).toThrow("code -1");
    expect(() => packRow(new Uint8Array(128).fill(128), 8, new Uint8Array(128))).toThrow("code 128");
    expect(() => rowBytes(100, 4)).toThrow("100 values");
    expect(() => unpackRow(new Uint8Array(63), 4, 128)).toThrow("64 bytes has 63");
  });
});
