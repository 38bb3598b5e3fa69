import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import {
  NO_ROW,
  readTable,
  rowBytes,
  rowRange,
  type TableFile,
  writeTable,
} from "../../../shared/format/table.ts";
import { refusal } from "./helpers.ts";
import { ENCODER, noise, tableContent } from "./samples.ts";

const good = tableContent(ENCODER);
const PAGE = 65_536;
const refuses = (change: Partial<TableFile>) => refusal(() => writeTable({ ...good, ...change }));
const refusesMeta = (change: Partial<TableFile["meta"]>) => refuses({ meta: { ...good.meta, ...change } });

/** So many different pairs of tokens at most, ascending. */
function pairsBelow(vocabulary: number, wanted: number, seed: number): Uint32Array<ArrayBuffer> {
  const bytes = noise(2 * wanted, seed);
  const keys = new Set(
    Array.from(
      { length: wanted },
      (_, i) => (bytes[2 * i]! % vocabulary) * vocabulary + (bytes[2 * i + 1]! % vocabulary),
    ),
  );
  const ascending = [...keys].sort((a, b) => a - b);
  return Uint32Array.from(ascending.flatMap((key) => [Math.floor(key / vocabulary), key % vocabulary]));
}

/** Tables of any legal shape; ranks are a shuffled part of the vocabulary. */
const tables = fc
  .record({
    vocabulary: fc.integer({ min: 1, max: 40 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    blocks: fc.integer({ min: 1, max: 3 }),
    bits: fc.constantFrom(1, 2, 3, 4, 8),
    seed: fc.nat(),
    pairs: fc.integer({ min: 0, max: 9 }),
    scale: fc.constantFrom(2 ** -126, 1, 3.4028234663852886e38),
  })
  .map(({ vocabulary, part, blocks, bits, seed, pairs, scale }): TableFile => {
    const tokens = Math.floor(vocabulary * part);
    const phrases = pairsBelow(vocabulary, pairs, seed);
    const rows = tokens + phrases.length / 2;
    const padded = 128 * blocks;
    const order = [...noise(vocabulary, seed)]
      .map((key, token) => ({ key, token }))
      .sort((a, b) => a.key - b.key);
    const rank = new Uint32Array(vocabulary).fill(NO_ROW);
    order.slice(0, tokens).forEach(({ token }, row) => {
      rank[token] = row;
    });
    return {
      meta: {
        ...good.meta,
        vocabulary,
        rows,
        ...(phrases.length > 0 ? { phrases: phrases.length / 2 } : {}),
        padded,
        dimension: padded - 1,
        bits,
      },
      rank,
      phrases,
      scales: new Float32Array(rows).fill(scale),
      rows: noise(rows * rowBytes(padded, bits), seed),
      weights: Uint16Array.from(noise(vocabulary, seed)),
    };
  });

describe("a table file", () => {
  it("gives back what was written, whatever its shape", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        const written = await writeTable(table);
        expect(readTable(parseEnvelope(written.bytes, "table"))).toEqual(table);
      }),
      { numRuns: 60 },
    );
  });

  it("has rows of the size its bits give, one after the other", () => {
    expect(([1, 2, 3, 4, 8] as const).map((bits) => rowBytes(384, bits))).toEqual([48, 96, 144, 192, 384]);
    expect(rowRange(good.meta, 2)).toEqual({ start: 128, end: 192 });
  });

  describe("in tiers", () => {
    const { codebook, padded } = good.meta;
    const tiers = [
      { rows: 2, bits: 4, codebook },
      { rows: 1, bits: 1, codebook: [-127, 127, ...new Array<number>(14).fill(0)] },
      { rows: 2, bits: 3, codebook },
    ] as const;
    const pages = new Uint8Array(3 * PAGE);
    pages.set(noise(2 * rowBytes(padded, 4), 1));
    pages.set(noise(rowBytes(padded, 1), 2), PAGE);
    pages.set(noise(2 * rowBytes(padded, 3), 3), 2 * PAGE);
    const tiered: TableFile = {
      ...good,
      meta: { ...good.meta, rows: 5, phrases: 2, tiers },
      phrases: Uint32Array.of(0, 4, 2, 1),
      scales: new Float32Array(5).fill(1),
      rows: pages,
    };
    const refusesTiers = (change: object) =>
      refusal(() => writeTable({ ...tiered, meta: { ...tiered.meta, ...change } }));

    it("gives back what was written, its rows at the beginning of the body", async () => {
      const { bytes, head } = await writeTable(tiered);
      expect(readTable(parseEnvelope(bytes, "table"))).toEqual(tiered);
      expect(bytes.slice(head.bytes, head.bytes + 128)).toEqual(pages.slice(0, 128));
      expect([0, 1, 2, 4].map((row) => rowRange(tiered.meta, row))).toEqual([
        { start: 0, end: 64 },
        { start: 64, end: 128 },
        { start: PAGE, end: PAGE + 16 },
        { start: 2 * PAGE + 48, end: 2 * PAGE + 96 },
      ]);
    });

    it("refuses tiers of other rows, pairs in the tier of tokens, and a first tier that is not the table's own", async () => {
      const [hot, cold, pairs] = tiers;
      for (const wrong of [
        [],
        [hot, cold],
        [hot, cold, { ...pairs, rows: 3 }],
        [hot, { ...cold, rows: 3 }],
        [{ ...hot, bits: 3 }, cold, pairs],
        [{ ...hot, codebook: [...codebook].reverse() }, cold, pairs],
        [hot, { ...cold, bits: 5 }, pairs],
        [hot, { ...cold, rows: 0 }, cold, pairs],
        [hot, { ...cold, codebook: [1] }, pairs],
      ])
        expect(await refusesTiers({ tiers: wrong }), JSON.stringify(wrong)).toBe("format/invalid");
      expect(await refusesTiers({ tiers: [{ ...hot, name: "hot" }, cold, pairs] })).toBe(
        "format/unsupported",
      );
    });

    it("refuses a byte beside rows that is not zero", async () => {
      for (const at of [128, PAGE - 1, PAGE + 16, 3 * PAGE - 1]) {
        const rows = pages.slice();
        rows[at] = 1;
        expect(await refusal(() => writeTable({ ...tiered, rows })), `${at}`).toBe("format/invalid");
      }
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, -0, 2 ** -127])(
    "refuses the scale %d",
    async (scale) => {
      expect(await refuses({ scales: Float32Array.of(1, scale, 1) })).toBe("format/invalid");
    },
  );

  it("refuses ranks that are no permutation onto the rows", async () => {
    for (const rank of [
      [NO_ROW, NO_ROW, 1, 1, 0],
      [NO_ROW, NO_ROW, 1, 3, 0],
      [NO_ROW, NO_ROW, 1, NO_ROW, 0],
      [2, 1, 0, NO_ROW - 1, NO_ROW],
    ]) {
      expect(await refuses({ rank: Uint32Array.from(rank) })).toBe("format/invalid");
    }
  });

  it("holds pairs that ascend and name tokens, with the last rows for their own", async () => {
    const meta = { ...good.meta, phrases: 2, rows: 5 };
    const more = {
      meta,
      scales: new Float32Array(5).fill(1),
      rows: noise(5 * rowBytes(good.meta.padded, good.meta.bits)),
    };
    const written = await writeTable({ ...good, ...more, phrases: Uint32Array.of(0, 4, 2, 1) });
    expect(readTable(parseEnvelope(written.bytes, "table")).phrases).toEqual(Uint32Array.of(0, 4, 2, 1));
    for (const pairs of [[2, 1, 0, 4], [0, 4, 0, 4], [0, 4, 0, 3], [0, 4, 5, 1], [0, 4, 4, 5], [0, 4], []]) {
      expect(await refuses({ ...more, phrases: Uint32Array.from(pairs) }), `${pairs}`).toBe("format/invalid");
    }
    expect(await refuses({ phrases: Uint32Array.of(0, 4) })).toBe("format/invalid");
    expect(await refusesMeta({ phrases: 0 })).toBe("format/invalid");
    expect(await refusesMeta({ phrases: 4 })).toBe("format/invalid");
  });

  it("refuses arrays of another length than the meta says", async () => {
    expect(await refuses({ rank: new Uint32Array(4) })).toBe("format/invalid");
    expect(await refuses({ scales: Float32Array.of(1, 1) })).toBe("format/invalid");
    expect(await refuses({ rows: noise(191) })).toBe("format/invalid");
    expect(await refuses({ weights: new Uint16Array(6) })).toBe("format/invalid");
    expect(await refusesMeta({ bits: 8 })).toBe("format/invalid");
  });

  it("refuses weights whose sums could leave 32 bits", async () => {
    expect(await refuses({ weights: Uint16Array.of(0, 0, 0, 0, 16_384) })).toBe("format/invalid");
  });

  it("refuses a meta outside its bounds", async () => {
    for (const change of [
      { bits: 5 as 4 },
      { padded: 64 },
      { padded: 192 },
      { dimension: 129 },
      { dimension: 0 },
      { vocabulary: 1_000_001 },
      { rows: 6 },
      { codebook: [1, 2] },
      { codebook: Array.from({ length: 16 }, () => 128) },
      { weight_scale: 0 },
      { weight_scale: Number.NaN },
      { encoder: "ABC" as typeof ENCODER },
      { source: "guessed" as "fitted" },
      { fit: { lambda: Number.POSITIVE_INFINITY } },
      { rotation: { kind: "hadamard" as const, seed: -1, rounds: 3 } },
    ]) {
      expect(await refusesMeta(change), JSON.stringify(change)).toBe("format/invalid");
    }
    expect(await refusesMeta({ new_word: 1 } as Partial<TableFile["meta"]>)).toBe("format/unsupported");
  });
});
