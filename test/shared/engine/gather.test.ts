import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gather } from "../../../shared/engine/gather.ts";
import type { LiveShard } from "../../../shared/engine/live-shards.ts";
import { FAR_POOL, NEAR_POOL, type ShardCandidates } from "../../../shared/engine/score-shard.ts";

/** A document by its number in the index, with what each side thinks of it; 0 on the sparse side is no match. */
interface Scored {
  readonly estimate: number;
  readonly sum: number;
}

/** What a shard of these documents, from number `first` on, gives for a pool: everything, which is always enough. */
function shardOf(first: number, documents: readonly Scored[]): ShardCandidates {
  // Gathering looks at a shard's place among the others and at nothing else of it.
  const shard = { first, ranks: null as LiveShard["ranks"] } as LiveShard;
  const all = Uint32Array.from(documents.keys());
  const matched = all.filter((at) => documents[at]!.sum > 0);
  return {
    shard,
    documents: all,
    dense: Float64Array.from(documents, ({ estimate }) => estimate),
    chunks: all.slice(),
    sparse: Int32Array.from(documents, ({ sum }) => sum),
    byDense: { documents: all, scores: Float32Array.from(documents, ({ estimate }) => estimate) },
    bySparse: { documents: matched, scores: Int32Array.from(matched, (at) => documents[at]!.sum) },
    matches: matched.length,
  };
}

function divide(documents: readonly Scored[], sizes: readonly number[]): ShardCandidates[] {
  const shards: ShardCandidates[] = [];
  let first = 0;
  for (const size of sizes) {
    shards.push(shardOf(first, documents.slice(first, first + size)));
    first += size;
  }
  if (first < documents.length) shards.push(shardOf(first, documents.slice(first)));
  return shards;
}

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
        fc.array(fc.nat({ max: 900 }), { maxLength: 6 }),
        fc.boolean(),
        (all, sizes, deep) => {
          const tier = (at: number, side: keyof Scored, pool: "dense" | "sparse") => {
            if (bestOf(all, side, NEAR_POOL[pool]).has(at)) return "near";
            return deep && bestOf(all, side, FAR_POOL[pool]).has(at) ? "far" : "none";
          };
          const found = gather(divide(all, sizes), deep, 0.5);
          const sample = found.filter((_, at) => at % 97 === 0);
          for (const { ordinal, byDense, bySparse, sparse } of sample) {
            expect([byDense, bySparse]).toEqual([
              tier(ordinal, "estimate", "dense"),
              tier(ordinal, "sum", "sparse"),
            ]);
            expect(sparse).toBe(all[ordinal]!.sum * 0.5);
          }
          const pool = deep ? FAR_POOL : NEAR_POOL;
          const wanted = new Set([
            ...bestOf(all, "estimate", pool.dense),
            ...bestOf(all, "sum", pool.sparse),
          ]);
          expect(found.map(({ ordinal }) => ordinal)).toEqual([...wanted].sort((a, b) => a - b));
        },
      ),
      { numRuns: 30 },
    );
  });

  it("are none where there are no shards or no proposals", () => {
    expect(gather([], false, 1)).toEqual([]);
    expect(gather([shardOf(0, [])], true, 1)).toEqual([]);
  });

  it("carry the sparse score in real units and the number in the index", () => {
    const [first, second] = gather(
      divide(
        [
          { estimate: 1, sum: 0 },
          { estimate: 0, sum: 8 },
        ],
        [1],
      ),
      false,
      0.25,
    );
    expect(first).toMatchObject({ ordinal: 0, document: 0, byDense: "near", bySparse: "none", sparse: 0 });
    expect(second).toMatchObject({ ordinal: 1, document: 0, byDense: "near", bySparse: "near", sparse: 2 });
  });
});
