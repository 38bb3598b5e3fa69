import { beforeAll, describe, expect, it } from "vitest";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { readShard, type ShardFile, writeShard } from "../../../shared/format/shard.ts";
import { documentsOf, makeSegment, quantizeImpacts } from "../../../shared/segment/segment.ts";
import { buildTiny } from "../../helpers/tiny-build.ts";

let shards: ShardFile[];
beforeAll(async () => {
  const { store, manifest } = await buildTiny({ shardChunks: 40 });
  shards = [];
  for (const blob of blobsOf(manifest, "shard")) shards.push(readShard(await loadEnvelope(store, blob)));
});

describe("a shard's documents", () => {
  it("make the same shard again, byte for byte", async () => {
    expect(shards.length).toBeGreaterThan(1);
    for (const shard of shards) {
      const again = await writeShard(makeSegment(documentsOf(shard), shard.meta));
      expect(again.bytes).toEqual((await writeShard(shard)).bytes);
    }
  });

  it("can be cut and joined: half of one shard with another hold what they held", async () => {
    const [a, b] = shards.map(documentsOf);
    const joined = [...a!.filter((_, at) => at % 2 === 1), ...b!];
    const shard = makeSegment(joined, shards[0]!.meta);
    await writeShard(shard);
    expect(documentsOf(shard)).toEqual(joined);
  });
});

describe("impacts", () => {
  it("are whole numbers from 1 to 255, whatever the scale makes of them", () => {
    const impacts = { ids: Uint32Array.of(1, 2, 3, 4), values: Float32Array.of(0.0001, 1, 2.5, 9) };
    expect(quantizeImpacts(impacts, 100)).toEqual({
      ids: impacts.ids,
      values: Uint8Array.of(1, 100, 250, 255),
    });
  });
});
