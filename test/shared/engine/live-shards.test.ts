import { describe, expect, it } from "vitest";
import { type ColdInMemory, coldInMemory } from "../../../shared/engine/cold-sections.ts";
import { encodeQuery } from "../../../shared/engine/encode-query.ts";
import { hide, liveShards, searchable } from "../../../shared/engine/live-shards.ts";
import type { ResidentShard } from "../../../shared/engine/resident.ts";
import { NEAR_POOL } from "../../../shared/engine/shard-contract.ts";
import { compareIds, idAt, packIds } from "../../../shared/format/ids.ts";
import { type TinyParts, tinyParts } from "./resident.ts";

/** A shard of documents with these ids; nobody looks at more of it. */
function shardOf(ids: readonly string[]): ResidentShard {
  const { length } = ids;
  const cold = {
    places: new Uint32Array(2 * length).map((_, at) => at),
    scales: new Float32Array(length),
    work: {},
    ...packIds([...ids].sort(compareIds)),
  };
  return { meta: { documents: length }, cold: coldInMemory(cold as ColdInMemory) } as ResidentShard;
}

describe("shards of a version", () => {
  it("refuse a dead document that no shard has", () => {
    const shards = [shardOf(["a", "b"]), shardOf(["a", "c"])];
    expect(() => liveShards(shards, [Uint16Array.of(2)])).toThrow(/Document 2 of shard 0/u);
    expect(liveShards(shards, [Uint16Array.of(0)]).map(({ dead }) => [...dead])).toEqual([[0], []]);
  });

  it("are found by id where they live and not where they are dead or hidden", () => {
    const [first, second] = liveShards([shardOf(["a", "b"]), shardOf(["a", "c"])], [Uint16Array.of(0)]);
    expect(searchable(first!).locate("a")).toBeNull();
    expect(searchable(second!).locate("a")).toEqual({ block: 0, index: 1 });
    expect(searchable(hide(second!, ["c", "x"])).locate("c")).toBeNull();
    expect(hide(second!, ["x"])).toBe(second);
  });
});

describe("a shard", () => {
  let parts: TinyParts;
  const query = () => encodeQuery(parts.table, parts.tokenizer.ids("the comet and the queen"));

  it("proposes none of the dead, and counts the living", async () => {
    parts = await tinyParts(60);
    const [shard] = parts.shards;
    const before = searchable(shard!).propose(query(), NEAR_POOL);
    expect(before.living).toBe(60);
    const gone = [before.dense.documents[0]!, before.sparse.documents[0]!];
    const hidden = hide(
      shard!,
      gone.map((document) => idAt(shard!.cold.facts(Uint32Array.of(document)), 0)),
    );
    const after = searchable(hidden).propose(query(), NEAR_POOL);
    expect(after.living).toBe(60 - new Set(gone).size);
    for (const side of ["dense", "sparse"] as const)
      for (const document of gone) expect([...after[side].documents]).not.toContain(document);
  });

  it("gives a document the same scores whoever else is asked for", async () => {
    parts = await tinyParts(60);
    const shard = searchable(parts.shards[0]!);
    const all = shard.score(
      query(),
      Uint32Array.from({ length: 60 }, (_, at) => at),
    );
    for (const document of [0, 17, 59]) {
      const alone = shard.score(query(), Uint32Array.of(document));
      expect([alone.dense[0], alone.chunks[0], alone.sparse[0]]).toEqual([
        all.dense[document],
        all.chunks[document],
        all.sparse[document],
      ]);
      expect(idAt(alone, 0)).toBe(idAt(all, document));
    }
  });

  it("scores a document on the sparse side as it proposed it", async () => {
    parts = await tinyParts(60);
    const shard = searchable(parts.shards[0]!);
    const { sparse } = shard.propose(query(), NEAR_POOL);
    expect(sparse.documents.length).toBeGreaterThan(0);
    expect(shard.score(query(), sparse.documents).sparse).toEqual(sparse.scores);
  });
});
