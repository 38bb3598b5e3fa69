import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeTable, sumOfRows } from "../../../indexer/compress/decode-table.ts";
import { encodeQuery, quantizeQuery } from "../../../shared/engine/encode-query.ts";
import type { DenseQuery } from "../../../shared/engine/encoded-query.ts";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { readTable } from "../../../shared/format/table.ts";
import { type TinyParts, tinyParts } from "./resident.ts";

let parts: TinyParts;
beforeAll(async () => {
  parts = await tinyParts(60);
});

function ids(text: string): number[] {
  return parts.tokenizer.ids(text);
}

/** The 4-bit values that the planes spell. */
function planeValues({ planes }: DenseQuery): readonly number[] {
  const stride = planes.length / 4;
  return Array.from({ length: 8 * stride }, (_, j) =>
    [1, 2, 4, -8].reduce(
      (sum, weight, k) => sum + weight * ((planes[k * stride + (j >> 3)]! >> (j & 7)) & 1),
      0,
    ),
  );
}

describe("the dense side of a query", () => {
  it("is the sum of its tokens' rows, as a unit vector within a thousandth", async () => {
    const table = readTable(await loadEnvelope(parts.store, blobsOf(parts.manifest, "table")[0]!));
    const { dimension, padded } = table.meta;
    const tokens = ids("the river and the river boat");
    const sum = sumOfRows(decodeTable(table), tokens);
    const norm = Math.hypot(...sum);
    const dense = encodeQuery(parts.table, tokens).dense!;
    expect(dense.norm).toBeCloseTo(norm, 4);
    expect(dense.values.length).toBe(padded);
    dense.values.forEach((value, j) => {
      const wanted = j < dimension ? sum[j]! / norm : 0;
      expect(Math.abs(dense.scale * value - wanted)).toBeLessThan(1e-3);
    });
  });

  it("depends on which tokens are neighbours where a pair has a row, and on nothing else of their order", () => {
    const { phrases, meta, rank } = parts.table;
    const [first, second] = Array.from({ length: meta.vocabulary ** 2 }, (_, at) => [
      Math.floor(at / meta.vocabulary),
      at % meta.vocabulary,
    ]).find(([a, b]) => a !== b && phrases.find(a!, b!) >= 0 && phrases.find(b!, a!) < 0)!;
    expect(encodeQuery(parts.table, [first!, second!])).not.toEqual(
      encodeQuery(parts.table, [second!, first!]),
    );
    const apart = [...rank.keys()].find((id) =>
      [first, second].every((other) => phrases.find(id, other!) < 0 && phrases.find(other!, id) < 0),
    )!;
    expect(encodeQuery(parts.table, [first!, apart, second!]).dense?.norm).toBeCloseTo(
      encodeQuery(parts.table, [second!, apart, first!]).dense!.norm,
      6,
    );
  });

  it("counts a token as often as it occurs", () => {
    const once = encodeQuery(parts.table, ids("king song"));
    const often = encodeQuery(parts.table, ids("king song song song"));
    expect(often.dense!.values).not.toEqual(once.dense!.values);
  });

  it("is absent where no token has a row", () => {
    expect(encodeQuery(parts.table, []).dense).toBeNull();
    expect(encodeQuery(parts.table, ids("[PAD] [PAD]")).dense).toBeNull();
    expect(encodeQuery(parts.table, [999_999]).dense).toBeNull();
  });

  it("leaves nothing of one query behind for the next", () => {
    const first = encodeQuery(parts.table, ids("river"));
    encodeQuery(parts.table, ids("song opera king"));
    expect(encodeQuery(parts.table, ids("river"))).toEqual(first);
  });
});

describe("quantising", () => {
  const vector = fc
    .array(fc.integer({ min: -1000, max: 1000 }), { minLength: 128, maxLength: 128 })
    .map((values) => Float32Array.from(values, (value) => value / 257));

  it("uses the whole of 12 and 4 bits, and rounds to the nearest", () => {
    fc.assert(
      fc.property(vector, (values) => {
        const query = quantizeQuery(values);
        const greatest = Math.max(...values.map(Math.abs));
        if (greatest === 0) return expect(query).toBeNull();
        const coarse = planeValues(query!);
        expect(Math.max(...query!.values.map(Math.abs))).toBe(2047);
        expect(Math.max(...coarse.map(Math.abs))).toBe(7);
        values.forEach((value, j) => {
          expect(Math.abs(query!.values[j]! - (value * 2047) / greatest)).toBeLessThanOrEqual(0.5 + 1e-9);
          expect(Math.abs(coarse[j]! - (value * 7) / greatest)).toBeLessThanOrEqual(0.5 + 1e-9);
        });
        expect(query!.planeSum).toBe(coarse.reduce((sum, value) => sum + value, 0));
      }),
    );
  });

  it("gives no query for a vector of zeros", () => {
    expect(quantizeQuery(new Float32Array(128))).toBeNull();
  });
});

describe("the sparse side of a query", () => {
  it("is distinct tokens, ascending, with count times weight", () => {
    const { weights } = parts.table;
    const tokens = ids("song river song the");
    const { sparse } = encodeQuery(parts.table, tokens);
    const distinct = [...new Set(tokens)].sort((a, b) => a - b);
    expect(sparse.terms).toEqual(distinct);
    expect(sparse.weights).toEqual(
      distinct.map((id) => tokens.filter((token) => token === id).length * weights[id]!),
    );
  });

  it("is of the terms, where these are other tokens than the rows'", () => {
    const [river, song] = [ids("river"), ids("song")];
    const { dense, sparse } = encodeQuery(parts.table, river, song);
    expect(dense).toEqual(encodeQuery(parts.table, river).dense);
    expect(sparse).toEqual(encodeQuery(parts.table, song).sparse);
  });

  it("leaves out tokens that the table does not know", () => {
    expect(encodeQuery(parts.table, [999_999]).sparse).toMatchObject({ terms: [], weights: [] });
  });

  it("stays a whole number below 2^31 for 512 times the heaviest token", () => {
    const [id] = ids("comet");
    const { sparse } = encodeQuery(parts.table, new Array(512).fill(id));
    expect(sparse.weights[0]! * 255).toBeLessThan(2 ** 31);
  });
});
