import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteRange, planPieces, planReads } from "../../../shared/format/plan.ts";

const BLOCK = 65_536;
/** A head of 192 bytes and a body of ten blocks and a piece. */
const BLOCKS = { start: 192, end: 192 + 10 * BLOCK + 100, blockBytes: BLOCK };
const range = (first: number, last: number): ByteRange => ({
  start: 192 + first * BLOCK,
  end: 192 + last * BLOCK,
});
const TIGHT = { gapBytes: 0, readBytes: 1e9 };

describe("planned reads", () => {
  it("are whole blocks, the last one short", () => {
    expect(planReads([{ start: 192, end: 193 }], BLOCKS)).toEqual([range(0, 1)]);
    expect(planReads([{ start: 192 + BLOCK - 1, end: 192 + BLOCK + 1 }], BLOCKS)).toEqual([range(0, 2)]);
    const end = BLOCKS.end;
    expect(planReads([{ start: end - 1, end }], BLOCKS)).toEqual([{ start: 192 + 10 * BLOCK, end }]);
  });

  it("ask for nothing where nothing is wanted", () => {
    expect(planReads([], BLOCKS)).toEqual([]);
    expect(planReads([{ start: 500, end: 500 }], BLOCKS)).toEqual([]);
  });

  it("ask once for a block that two ranges share, in any order", () => {
    const two = [
      { start: 300, end: 310 },
      { start: 200, end: 210 },
    ];
    expect(planReads(two, BLOCKS, { gapBytes: 0, readBytes: 0 })).toEqual([range(0, 1)]);
  });

  it("merge over a gap up to the limit and not beyond", () => {
    const wanted = [range(0, 1), range(3, 4)];
    expect(planReads(wanted, BLOCKS, { gapBytes: 2 * BLOCK, readBytes: 1e9 })).toEqual([range(0, 4)]);
    expect(planReads(wanted, BLOCKS, { gapBytes: 2 * BLOCK - 1, readBytes: 1e9 })).toEqual(wanted);
    expect(planReads([range(0, 1), range(1, 2)], BLOCKS, TIGHT)).toEqual([range(0, 2)]);
  });

  it("stop growing at the read limit, though one range may be longer", () => {
    const wanted = [range(0, 1), range(1, 2), range(2, 3)];
    const limits = { gapBytes: 0, readBytes: 2 * BLOCK };
    expect(planReads(wanted, BLOCKS, limits)).toEqual([range(0, 2), range(2, 3)]);
    expect(planReads([range(0, 9)], BLOCKS, limits)).toEqual([range(0, 9)]);
  });

  it("cover every wanted range by one read, ascending and apart", () => {
    const wanted = fc
      .array(fc.tuple(fc.nat(BLOCKS.end - 192), fc.nat(200_000)), { maxLength: 30 })
      .map((pairs) =>
        pairs.map(([at, length]) => ({ start: 192 + at, end: Math.min(BLOCKS.end, 192 + at + length) })),
      );
    const limits = fc.record({ gapBytes: fc.nat(300_000), readBytes: fc.nat(600_000) });
    fc.assert(
      fc.property(wanted, limits, (ranges, bounds) => {
        const reads = planReads(ranges, BLOCKS, bounds);
        for (const { start, end } of ranges.filter((item) => item.end > item.start)) {
          expect(reads.filter((read) => read.start <= start && end <= read.end)).toHaveLength(1);
        }
        reads.forEach((read, at) => {
          expect((read.start - 192) % BLOCK).toBe(0);
          expect(read.end === BLOCKS.end || (read.end - 192) % BLOCK === 0).toBe(true);
          if (at > 0) expect(read.start).toBeGreaterThanOrEqual(reads[at - 1]!.end);
        });
      }),
    );
  });
});

describe("pieces of a body", () => {
  it("cover it once, in order, the last one short", () => {
    expect(planPieces(BLOCKS, 4 * BLOCK)).toEqual([
      range(0, 4),
      range(4, 8),
      { start: range(8, 9).start, end: BLOCKS.end },
    ]);
    expect(planPieces(BLOCKS, 64 * BLOCK)).toEqual([{ start: BLOCKS.start, end: BLOCKS.end }]);
    expect(planPieces({ ...BLOCKS, end: BLOCKS.start }, BLOCK)).toEqual([]);
  });

  it("are of whole blocks, since no others can be checked", () => {
    for (const bytes of [0, -BLOCK, BLOCK - 1, 1.5 * BLOCK]) {
      expect(() => planPieces(BLOCKS, bytes)).toThrow(expect.objectContaining({ code: "internal" }));
    }
  });
});
