import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveDocuments, liveShards, rankOf } from "../../../shared/engine/live-shards.ts";
import type { ResidentShard } from "../../../shared/engine/resident.ts";
import { compareIds, idAt, packIds } from "../../../shared/format/ids.ts";

/** A shard of documents with these ids; nobody looks at more of it. */
function shardOf(ids: readonly string[]): ResidentShard {
  return { meta: { documents: ids.length }, ...packIds([...ids].sort(compareIds)) } as ResidentShard;
}

describe("shards side by side", () => {
  it("number their documents one after the other where their ids do not overlap", () => {
    const shards = liveShards([shardOf(["a", "b"]), shardOf(["c"]), shardOf(["d", "e"])]);
    expect(shards.map(({ first, ranks }) => [first, ranks])).toEqual([
      [0, null],
      [2, null],
      [3, null],
    ]);
    expect(rankOf(shards[2]!, 1)).toBe(4);
  });

  it("number their documents by id over all of them where they overlap, as one shard would", () => {
    const id = fc.string({
      minLength: 1,
      maxLength: 3,
      unit: fc.constantFrom("a", "b", "é", "\u{1F4A1}", "￮"),
    });
    const sets = fc.uniqueArray(id, { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(sets, fc.array(fc.nat(3), { minLength: 30, maxLength: 30 }), (ids, owner) => {
        const groups = [0, 1, 2, 3].map((group) => ids.filter((_, at) => owner[at] === group));
        const shards = liveShards(groups.filter((group) => group.length > 0).map(shardOf));
        const ranked = shards.flatMap((shard) =>
          Array.from({ length: shard.meta.documents }, (_, at) => ({
            id: idAt(shard, at),
            rank: rankOf(shard, at),
          })),
        );
        ranked.sort((a, b) => a.rank - b.rank);
        expect(ranked.map(({ id: found }) => found)).toEqual([...ids].sort(compareIds));
        expect(ranked.map(({ rank }) => rank)).toEqual([...ids.keys()]);
      }),
    );
  });

  it("count the living, and refuse a dead document that no shard has", () => {
    const shards = [shardOf(["a", "b"]), shardOf(["a", "c"])];
    expect(liveDocuments(liveShards(shards, [Uint16Array.of(0), new Uint16Array(0)]))).toBe(3);
    expect(() => liveShards(shards, [Uint16Array.of(2)])).toThrow(/Document 2 of shard 0/u);
  });
});
