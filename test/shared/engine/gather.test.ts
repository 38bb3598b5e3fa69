import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseDocuments } from "../../../shared/engine/cut.ts";
import type { EncodedQuery } from "../../../shared/engine/encoded-query.ts";
import { gather } from "../../../shared/engine/gather.ts";
import {
  FAR_POOL,
  NEAR_POOL,
  type ScoredDocuments,
  type ShardProposals,
} from "../../../shared/engine/shard-contract.ts";
import { idAt, packIds } from "../../../shared/format/ids.ts";

/** A document by its number in the index, with what each side thinks of it; 0 on the sparse side is no match. */
interface Scored {
  readonly estimate: number;
  readonly sum: number;
}

/** A shard that proposes and scores everything it has, which is always enough. */
interface Everything {
  readonly proposed: ShardProposals;
  readonly scored: ScoredDocuments;
}

const idOf = (number: number) => String(number).padStart(6, "0");

/** The documents with these numbers in the index, each as the list says. */
function shardOf(numbers: readonly number[], documents: readonly Scored[]): Everything {
  const all = Uint32Array.from(numbers.keys());
  const of = (at: number) => documents[numbers[at]!]!;
  const matched = all.filter((at) => of(at).sum > 0);
  return {
    proposed: {
      dense: { documents: all, scores: Float32Array.from(all, (at) => of(at).estimate) },
      sparse: { documents: matched, scores: Int32Array.from(matched, (at) => of(at).sum) },
      matches: matched.length,
      living: all.length,
      impactScale: 0.5,
    },
    scored: {
      documents: all,
      dense: Float64Array.from(all, (at) => of(at).estimate),
      chunks: new Uint32Array(all.length),
      sparse: Int32Array.from(all, (at) => of(at).sum),
      places: new Uint32Array(2 * all.length),
      ...packIds(numbers.map(idOf)),
    },
  };
}

/** Documents dealt out to shards: by ranges, or here and there, as after runs that added some. */
function divide(documents: readonly Scored[], owners: readonly number[]): Everything[] {
  const groups = new Map<number, number[]>();
  documents.forEach((_, number) => {
    const owner = owners.length === 0 ? 0 : owners[number % owners.length]!;
    groups.set(owner, [...(groups.get(owner) ?? []), number]);
  });
  return [...groups.values()].map((numbers) => shardOf(numbers, documents));
}

/** Chooses, scores what was chosen and gathers, as a search does. */
function candidatesOf(shards: readonly Everything[], deep: boolean) {
  const proposed = shards.map((shard) => shard.proposed);
  const chosen = chooseDocuments(proposed, deep ? FAR_POOL : NEAR_POOL);
  const scored = shards.map(({ scored: all }, shard) => only(all, chosen[shard]!));
  return gather(proposed, scored, QUERY, deep).map((candidate) => ({
    ...candidate,
    number: Number(idAt(candidate.ids, candidate.at)),
  }));
}

function only(all: ScoredDocuments, documents: Uint32Array<ArrayBuffer>): ScoredDocuments {
  return {
    documents,
    dense: Float64Array.from(documents, (at) => all.dense[at]!),
    chunks: new Uint32Array(documents.length),
    sparse: Int32Array.from(documents, (at) => all.sparse[at]!),
    places: new Uint32Array(2 * documents.length),
    ...packIds(Array.from(documents, (at) => idAt(all, at))),
  };
}

/** Weights of four times their size and impacts of half: a stored sum is twice the score. */
const QUERY: EncodedQuery = { dense: null, sparse: { terms: [], weights: [], scale: 4 } };

/** The dumb twin: the numbers of the best by a stable sort. */
function bestOf(documents: readonly Scored[], side: keyof Scored, wanted: number): ReadonlySet<number> {
  return new Set(
    [...documents.keys()]
      .filter((at) => side === "estimate" || documents[at]!.sum > 0)
      .sort((a, b) => documents[b]![side] - documents[a]![side])
      .slice(0, wanted),
  );
}

describe("the candidates of all shards", () => {
  const scored = fc.record({
    estimate: fc.integer({ min: -20, max: 20 }).map((value) => value / 8),
    sum: fc.integer({ min: 0, max: 6 }),
  });
  // Few values, so that the cut falls among ties.
  const documents = fc.array(scored, { minLength: 0, maxLength: 2600, size: "max" });

  it("are those of one shard with all documents, ties going to the smaller number", () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.nat({ max: 5 }), { maxLength: 40 }),
        fc.boolean(),
        (all, owners, deep) => {
          const tier = (at: number, side: keyof Scored, pool: "dense" | "sparse") => {
            if (bestOf(all, side, NEAR_POOL[pool]).has(at)) return "near";
            return deep && bestOf(all, side, FAR_POOL[pool]).has(at) ? "far" : "none";
          };
          const found = candidatesOf(divide(all, owners), deep);
          const sample = found.filter((_, at) => at % 97 === 0);
          for (const { number, byDense, bySparse, sparse } of sample) {
            expect([byDense, bySparse]).toEqual([
              tier(number, "estimate", "dense"),
              tier(number, "sum", "sparse"),
            ]);
            expect(sparse).toBe(all[number]!.sum * 0.5);
          }
          const pool = deep ? FAR_POOL : NEAR_POOL;
          const wanted = new Set([
            ...bestOf(all, "estimate", pool.dense),
            ...bestOf(all, "sum", pool.sparse),
          ]);
          expect(found.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
            [...wanted].sort((a, b) => a - b),
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  it("are none where there are no shards or no proposals", () => {
    expect(candidatesOf([], false)).toEqual([]);
    expect(candidatesOf([shardOf([], [])], true)).toEqual([]);
  });

  it("carry the sparse score in real units, the shard and the number in it", () => {
    const documents = [
      { estimate: 1, sum: 0 },
      { estimate: 0, sum: 8 },
    ];
    const [first, second] = candidatesOf(divide(documents, [0, 1]), false);
    expect(first).toMatchObject({ shard: 0, document: 0, byDense: "near", bySparse: "none", sparse: 0 });
    expect(second).toMatchObject({ shard: 1, document: 0, byDense: "near", bySparse: "near", sparse: 4 });
  });

  it("are the others' where a shard did not answer, whichever call it missed", () => {
    const documents = [0, 1, 2].map((estimate) => ({ estimate, sum: 1 }));
    const shards = divide(documents, [0, 1, 2]);
    const proposed = shards.map((shard, at) => (at === 0 ? null : shard.proposed));
    const scored = shards.map((shard, at) => (at === 1 ? null : shard.scored));
    expect([...chooseDocuments(proposed, NEAR_POOL)[0]!]).toEqual([]);
    expect(gather(proposed, scored, QUERY, false).map(({ shard }) => shard)).toEqual([2]);
  });
});
