import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Encoding, SparseVector } from "../../../indexer/encode/encoder.ts";
import { encodingFromBytes, encodingToBytes } from "../../../indexer/encode/records.ts";
import { roundToHalf } from "../../../shared/math/float16.ts";

/** Halves: the smallest, the greatest, both zeros, and whatever comes. */
const half = fc.oneof(
  fc.constantFrom(0, -0, 2 ** -24, -(2 ** -24), 65_504, -65_504, 1),
  fc.double({ min: -60_000, max: 60_000, noNaN: true }).map(roundToHalf),
);
const dense = fc.array(half, { maxLength: 40 }).map((values) => Float32Array.from(values));
const sparse = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 2 ** 32 - 1 }), half), { selector: ([id]) => id, maxLength: 20 })
  .map(
    (pairs): SparseVector => ({
      ids: Uint32Array.from(pairs, ([id]) => id),
      values: Float32Array.from(pairs, ([, value]) => value),
    }),
  );
const encoding: fc.Arbitrary<Encoding> = fc.record({
  dense: fc.option(dense),
  sparse: fc.option(sparse),
});

const EXAMPLE: Encoding = {
  dense: Float32Array.of(0.5, -0.25, 1),
  sparse: { ids: Uint32Array.of(3, 700_000), values: Float32Array.of(1.5, 0.125) },
};

describe("an encoding in bytes", () => {
  it("comes back to the bit, with either side, both or none", () => {
    fc.assert(
      fc.property(encoding, (given) => {
        expect(encodingFromBytes(encodingToBytes(given))).toEqual(given);
      }),
    );
  });

  it("is as long as its counts say: 2 bytes a value of the vector, 6 an impact", () => {
    expect(encodingToBytes(EXAMPLE).length).toBe(1 + 4 + 2 * 3 + 4 + 6 * 2);
    expect(encodingToBytes({ dense: null, sparse: null })).toEqual(Buffer.from([0]));
  });

  it("is no encoding with any byte missing or one too many", () => {
    const bytes = encodingToBytes(EXAMPLE);
    for (let length = 0; length < bytes.length; length++)
      expect(encodingFromBytes(bytes.subarray(0, length)), `${length} bytes`).toBeNull();
    expect(encodingFromBytes(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeNull();
  });

  it("is no encoding where a count asks for more than there is, however much that is", () => {
    for (const at of [1, 1 + 4 + 2 * 3]) {
      const bytes = encodingToBytes(EXAMPLE);
      bytes.writeUInt32LE(0xffff_ffff, at);
      expect(encodingFromBytes(bytes)).toBeNull();
    }
  });
});
