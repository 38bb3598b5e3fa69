import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SparseVector } from "../../../indexer/encode/encoder.ts";
import {
  bagOf,
  impactsOf,
  maxPool,
  SPARSE_OPTIONS,
  sparseOptionsOf,
  statisticsOf,
} from "../../../shared/segment/impacts.ts";

const VOCABULARY = 20;
const text = fc.array(fc.nat({ max: VOCABULARY - 1 }), { maxLength: 30 });
const vector: fc.Arbitrary<SparseVector> = fc
  .uniqueArray(fc.tuple(fc.nat({ max: VOCABULARY - 1 }), fc.integer({ min: 1, max: 400 })), {
    selector: ([id]) => id,
    maxLength: 10,
  })
  .map((entries) => {
    const sorted = entries.sort(([a], [b]) => a - b);
    return {
      ids: Uint32Array.from(sorted, ([id]) => id),
      values: Float32Array.from(sorted, ([, value]) => value / 128),
    };
  });

const countOf = (tokens: readonly number[], id: number) => tokens.filter((token) => token === id).length;
const impactIn = ({ ids, values }: SparseVector, id: number) => {
  const at = ids.indexOf(id);
  return at < 0 ? 0 : values[at]!;
};
const ALL_IDS = Array.from({ length: VOCABULARY }, (_, id) => id);

function expectAscending(ids: Uint32Array): void {
  expect(Array.from(ids)).toEqual([...new Set(ids)].sort((a, b) => a - b));
}

describe("a bag", () => {
  it("has each token once, ascending, with how often it occurs", () => {
    fc.assert(
      fc.property(text, (tokens) => {
        const { ids, counts, length } = bagOf(tokens);
        expectAscending(ids);
        expect(length).toBe(tokens.length);
        expect(Object.fromEntries(Array.from(ids, (id, at) => [id, counts[at]]))).toEqual(
          Object.fromEntries(tokens.map((id) => [id, countOf(tokens, id)])),
        );
      }),
    );
  });
});

describe("the statistics of a collection", () => {
  it("are the mean length and the inverse document frequency by their formulas", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
        const { documents, meanLength, idf } = statisticsOf(texts.map(bagOf), VOCABULARY);
        const total = texts.reduce((sum, tokens) => sum + tokens.length, 0);
        expect(documents).toBe(texts.length);
        expect(meanLength).toBe(total === 0 ? 1 : total / texts.length);
        for (const id of ALL_IDS) {
          const df = texts.filter((tokens) => tokens.includes(id)).length;
          expect(idf[id]).toBeCloseTo(Math.log(1 + (texts.length - df + 0.5) / (df + 0.5)), 12);
          expect(idf[id]).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe("the impacts of a document", () => {
  it("are the saturated frequency of BM25 plus a share of the learned value, little of which large indexes keep without the token in the text", () => {
    const texts = fc.array(text, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(texts, fc.option(vector), fc.boolean(), (texts, learned, large) => {
        const bags = texts.map(bagOf);
        const statistics = statisticsOf(bags, VOCABULARY);
        const options = sparseOptionsOf(large);
        const impacts = impactsOf(bags[0]!, learned, statistics, options);
        const { k1, b, alpha, least } = options;
        expect(least > 0).toBe(large);
        const tokens = texts[0]!;
        expectAscending(impacts.ids);
        for (const id of ALL_IDS) {
          const tf = countOf(tokens, id);
          const norm = k1 * (1 - b + (b * tokens.length) / statistics.meanLength);
          const lexical = tf === 0 ? 0 : (tf * (k1 + 1)) / (tf + norm);
          const share = alpha * (learned === null ? 0 : impactIn(learned, id));
          const wanted = lexical === 0 && share < least ? 0 : lexical + share;
          expect(impactIn(impacts, id)).toBeCloseTo(wanted, 5);
        }
        expect(impacts.values.every((value) => value > 0)).toBe(true);
      }),
    );
  });

  it("grow with every further occurrence but stay below k1 + 1", () => {
    const other = bagOf([1, 2, 3, 4, 5]);
    const grown = [1, 2, 5, 50].map((count) => {
      const bag = { ...bagOf(Array(count).fill(7)), length: 5 };
      return impactIn(impactsOf(bag, null, statisticsOf([other, other], VOCABULARY)), 7);
    });
    expect(grown).toEqual([...grown].sort((a, b) => a - b));
    expect(new Set(grown).size).toBe(grown.length);
    expect(grown.at(-1)).toBeLessThan(SPARSE_OPTIONS.k1 + 1);
  });
});

describe("pooling", () => {
  it("keeps the greatest value of each token over all chunks", () => {
    fc.assert(
      fc.property(fc.array(vector, { maxLength: 5 }), (vectors) => {
        const pooled = maxPool(vectors);
        expectAscending(pooled.ids);
        for (const id of ALL_IDS)
          expect(impactIn(pooled, id)).toBe(Math.max(0, ...vectors.map((one) => impactIn(one, id))));
      }),
    );
  });
});
