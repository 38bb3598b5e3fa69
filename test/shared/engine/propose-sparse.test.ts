import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SparseQuery } from "../../../shared/engine/encoded-query.ts";
import type { LiveShard } from "../../../shared/engine/live-shard.ts";
import { layPostings, planPostings, postingLengths } from "../../../shared/engine/postings.ts";
import { impactOf, proposeSparse, sparseScores } from "../../../shared/engine/propose-sparse.ts";
import type { HotShardFile, ShardMeta } from "../../../shared/format/shard.ts";
import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { MIB, REQUEST_LIMITS } from "../../../shared/limits.ts";
import { bestOf, type Postings, postingArrays } from "../../helpers/posting-lists.ts";
import { builtKernels } from "../kernels/built.ts";

const module = await builtKernels();

/** What the sparse side sees of a shard. */
type SparseShard = Pick<LiveShard, "kernels" | "meta" | "postings" | "dead">;

/** A shard of these postings, token 10 t for the t-th that has any. */
function shardOf(terms: readonly Postings[], documents: number, dead: readonly number[] = []): SparseShard {
  const kernels = createWasmKernels(module, 16 * MIB);
  const held = terms
    .map((postings, at) => ({ token: 10 * at, postings }))
    .filter(({ postings }) => postings.length > 0);
  const arrays = postingArrays(held.map(({ postings }) => postings));
  // The rest of a shard's meta is of no concern here.
  const meta = { documents, terms: held.length, postings: arrays.rows.length } as ShardMeta;
  const file = { ...arrays, meta, terms: Uint32Array.from(held, ({ token }) => token) } as HotShardFile;
  const starts = planPostings(file);
  const { lists, records, top, deadBits } = postingLengths(meta, starts);
  const at = {
    lists: kernels.allocate(lists),
    records: kernels.allocate(records),
    top: kernels.allocate(top),
    deadBits: kernels.allocate(deadBits),
  };
  return { kernels, meta, postings: layPostings(kernels, file, starts, at), dead: Uint16Array.from(dead) };
}

/** Terms of which term t is in every (t + 1)th document or so, with few different impacts. */
function termsOf(documents: number, count: number, salt: number): readonly Postings[] {
  return Array.from({ length: count }, (_, t) =>
    Array.from({ length: documents }, (_, row) => row)
      .filter((row) => ((row + salt) * (2 * t + 7)) % (t * t + 2) === 0)
      .map((row) => [row, 1 + ((row * (salt + 3) + t) % 9)] as const),
  );
}

function queryOf(weights: readonly number[]) {
  const sparse: SparseQuery = { terms: weights.map((_, at) => 10 * at), weights, scale: 1 };
  return { dense: null, sparse };
}

/** The same by a map of sums. */
function plainly(
  terms: readonly Postings[],
  weights: readonly number[],
  wanted: number,
  dead: readonly number[] = [],
) {
  const query = terms.map((postings, at) => ({ postings, weight: weights[at] ?? 0 }));
  return bestOf(
    query.filter(({ weight }) => weight > 0),
    wanted,
    dead,
  );
}

const weights = fc.array(fc.constantFrom(1, 5, 80, 16_383), { minLength: 1, maxLength: 9 });

describe("the sparse side", () => {
  test("proposes what a map of sums finds, and counts the documents that match", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 40, 1100, 3000),
        weights,
        fc.nat(99),
        fc.constantFrom(1, 10, 200, 1000),
        (documents, given, salt, wanted) => {
          const terms = termsOf(documents, 8, salt);
          const dead = salt % 2 === 0 ? [] : [0, 5, 39, 700].filter((row) => row < documents);
          const { proposal, matches } = proposeSparse(
            shardOf(terms, documents, dead),
            queryOf(given),
            wanted,
          );
          const found = [...proposal.documents].map((row, at) => [row, proposal.scores[at]]);
          expect(found).toEqual(plainly(terms, given, wanted, dead));
          const all = plainly(terms, given, Number.POSITIVE_INFINITY, dead).length;
          if (all <= REQUEST_LIMITS.window) expect(matches).toBe(all);
          else expect(matches).toBeGreaterThan(REQUEST_LIMITS.window);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("proposes the same however the documents are divided among shards", () => {
    const documents = 2000;
    fc.assert(
      fc.property(
        weights,
        fc.nat(99),
        fc.uniqueArray(fc.integer({ min: 1, max: 1999 }), { maxLength: 6 }),
        (given, salt, cuts) => {
          const terms = termsOf(documents, 8, salt);
          const bounds = [0, ...cuts.sort((a, b) => a - b), documents];
          const parts = bounds.slice(0, -1).flatMap((first, at) => {
            const end = bounds[at + 1]!;
            const own = terms.map((postings) =>
              postings
                .filter(([row]) => row >= first && row < end)
                .map(([row, impact]) => [row - first, impact] as const),
            );
            const { documents: rows, scores } = proposeSparse(
              shardOf(own, end - first),
              queryOf(given),
              50,
            ).proposal;
            return [...rows].map((row, i) => [first + row, scores[i]!] as const);
          });
          const best = parts.sort(([a, x], [b, y]) => y - x || a - b).slice(0, 50);
          expect(best.sort(([a], [b]) => a - b)).toEqual(plainly(terms, given, 50));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("sums up more documents than it has places for, and none twice", () => {
    const terms = termsOf(3000, 8, 1);
    const given = [3, 1, 4, 1, 5, 9];
    const rows = Uint32Array.from({ length: 2900 }, (_, at) => at + 50);
    const sums = new Map(plainly(terms, given, Number.POSITIVE_INFINITY));
    const scores = sparseScores(shardOf(terms, 3000), queryOf(given), rows);
    expect([...scores]).toEqual([...rows].map((row) => sums.get(row) ?? 0));
  });

  test("knows the impact of each token in each document", () => {
    const terms = termsOf(300, 8, 2);
    const shard = shardOf(terms, 300);
    terms.forEach((postings, term) => {
      const impacts = new Map(postings);
      for (let row = 0; row < 300; row += 7) {
        expect(impactOf(shard, row, 10 * term)).toBe(impacts.get(row) ?? 0);
      }
    });
    expect(impactOf(shard, 3, 5)).toBe(0);
  });

  test("proposes nothing for a query whose terms it has not", () => {
    const shard = shardOf([[[0, 1]]], 1);
    const query = { dense: null, sparse: { terms: [3, 999], weights: [1, 2], scale: 1 } };
    const { proposal, matches } = proposeSparse(shard, query, 10);
    expect([proposal.documents.length, matches]).toEqual([0, 0]);
    expect([...sparseScores(shard, query, Uint32Array.of(0))]).toEqual([0]);
  });

  test("refuses a query of more terms than one can have", () => {
    const many = Array.from({ length: REQUEST_LIMITS.queryTokens + 1 }, () => [[0, 1]] as const);
    const query = queryOf(many.map(() => 1));
    expect(() => proposeSparse(shardOf(many, 1), query, 1)).toThrow(
      expect.objectContaining({ code: "internal" }),
    );
  });
});
