import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  layoutBytes,
  layoutOf,
  offsetIn,
  type RowShape,
  rowsWithin,
  tierOf,
} from "../../../shared/format/row-layout.ts";
import type { RowBits } from "../../../shared/kernels/kernels.ts";

const PAGE = 65_536;
const codebook = new Array<number>(16).fill(0);
const tier = fc.record({
  rows: fc.integer({ min: 1, max: 1500 }),
  bits: fc.constantFrom<RowBits>(1, 2, 3, 4, 8),
});
const shapes = fc
  .record({ tiers: fc.array(tier, { minLength: 1, maxLength: 5 }), blocks: fc.integer({ min: 1, max: 12 }) })
  .map(
    ({ tiers, blocks }): RowShape => ({
      rows: tiers.reduce((sum, { rows }) => sum + rows, 0),
      padded: 128 * blocks,
      bits: tiers[0]!.bits,
      codebook,
      tiers: tiers.map((each) => ({ ...each, codebook })),
    }),
  );

/** Where every row lies, put down one after the other: a row that does not fit what is left of its page begins the next. */
function placesOf({ tiers = [], padded }: RowShape): readonly (readonly [number, number])[] {
  const places: [number, number][] = [];
  let at = 0;
  for (const { rows, bits } of tiers) {
    const bytes = (padded * bits) / 8;
    for (let row = 0; row < rows; row++) {
      if ((at % PAGE) + bytes > PAGE) at += PAGE - (at % PAGE);
      places.push([at, at + bytes]);
      at += bytes;
    }
    if (at % PAGE !== 0) at += PAGE - (at % PAGE);
  }
  return places;
}

describe("rows in tiers", () => {
  it("lie in whole pages, none over two, a tier from the beginning of one", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const layout = layoutOf(shape);
        const found = Array.from({ length: shape.rows }, (_, row) => {
          const own = tierOf(layout, row);
          const start = own.start + offsetIn(own, row);
          return [start, start + own.bytes];
        });
        expect(found).toEqual(placesOf(shape));
        expect(layoutBytes(layout) % PAGE).toBe(0);
        expect(layoutBytes(layout) - found.at(-1)![1]!).toBeLessThan(PAGE);
      }),
      { numRuns: 40 },
    );
  });

  it("are counted as far as bytes go", () => {
    fc.assert(
      fc.property(shapes, fc.nat({ max: 40 * PAGE }), (shape, bytes) => {
        const within = placesOf(shape).filter(([, end]) => end <= bytes).length;
        expect(rowsWithin(layoutOf(shape), bytes)).toBe(within);
      }),
      { numRuns: 60 },
    );
  });
});

describe("rows without tiers", () => {
  it("lie one after the other", () => {
    const layout = layoutOf({ rows: 900, padded: 256, bits: 3, codebook });
    expect(layoutBytes(layout)).toBe(900 * 96);
    expect(offsetIn(tierOf(layout, 899), 899)).toBe(899 * 96);
    expect([0, 95, 96, 900 * 96, 1e9].map((bytes) => rowsWithin(layout, bytes))).toEqual([0, 0, 1, 900, 900]);
    expect(layoutBytes(layoutOf({ rows: 0, padded: 256, bits: 3, codebook }))).toBe(0);
  });
});
