import { beforeAll, describe, expect, it } from "vitest";
import { encodeQuery } from "../../../shared/engine/encode-query.ts";
import { searchable } from "../../../shared/engine/live-shards.ts";
import { type HotShard, hotBytes, loadHotShard } from "../../../shared/engine/resident.ts";
import { NEAR_POOL } from "../../../shared/engine/shard-contract.ts";
import { HOT_LAYOUT, restoreSnapshot, takeSnapshot } from "../../../shared/engine/snapshot.ts";
import type { Envelope } from "../../../shared/format/envelope.ts";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { readHotSections, readShard, writeShard } from "../../../shared/format/shard.ts";
import { sha256 } from "../../../shared/hash.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { makeSegment } from "../../../shared/segment/segment.ts";
import { SAMPLE_FACTS, sampleDocuments } from "../../helpers/sample-segment.ts";
import { type TinyParts, tinyParts } from "./resident.ts";

const NONE = new Uint16Array(0);

/** A shard of documents whose terms are rare, common and everywhere, as it is loaded. */
async function load(): Promise<HotShard> {
  const { bytes } = await writeShard(makeSegment(sampleDocuments(2600), SAMPLE_FACTS));
  const envelope: Envelope = parseEnvelope(bytes, "shard");
  const { meta } = readShard(envelope);
  const { shard } = await loadHotShard(meta, createReferenceKernels(hotBytes(meta)), async (space) => {
    const spaces = new Map<string, Uint8Array<ArrayBuffer>>();
    const section = (name: string) => {
      const found = spaces.get(name) ?? space(name, envelope.section(name).length);
      if (!spaces.has(name)) found.set(envelope.section(name));
      spaces.set(name, found);
      return found;
    };
    return readHotSections({ ...envelope, section });
  });
  return shard;
}

/** Its bytes copied out, and a shard made of them again. */
async function through(shard: HotShard): Promise<HotShard> {
  const { text, arrays, memory } = takeSnapshot(shard);
  const stored = memory.slice();
  const kernels = createReferenceKernels(shard.kernels.residentBytes);
  const copies = arrays.map((array) => array.slice());
  return restoreSnapshot(text, copies, stored.length, kernels, async (space) => space.set(stored));
}

describe("a snapshot of a loaded shard", () => {
  let parts: TinyParts;
  beforeAll(async () => {
    parts = await tinyParts(60);
  });

  it("gives the same shard back: its memory, its arrays, and all else", async () => {
    const shard = await load();
    const { kernels, ...rest } = await through(shard);
    const { kernels: before, ...same } = shard;
    expect(rest).toEqual(same);
    expect(kernels.residentBytes).toBe(before.residentBytes);
    expect(takeSnapshot({ ...rest, kernels })).toEqual(takeSnapshot(shard));
  });

  it("answers as the shard does that it was taken of", async () => {
    const [shard] = parts.shards;
    const { cold, dead: _, ...hot } = shard!;
    const woken = await through({ ...hot, batch: hot.work.dots });
    for (const text of ["the comet and the queen", "song", "☃"]) {
      const query = encodeQuery(parts.table, parts.tokenizer.ids(text));
      const answer = searchable({ ...woken, cold, dead: NONE }).propose(query, NEAR_POOL);
      expect(answer).toEqual(searchable(shard!).propose(query, NEAR_POOL));
    }
  });

  it("is refused by kernels that something was allocated of", async () => {
    const shard = await load();
    const { text, arrays, memory } = takeSnapshot(shard);
    const used = createReferenceKernels(2 * shard.kernels.residentBytes);
    used.allocate(64);
    const fill = async () => undefined;
    await expect(restoreSnapshot(text, arrays, memory.length, used, fill)).rejects.toMatchObject({
      code: "internal",
    });
  });

  it("lies as this layout says: who changes that raises HOT_LAYOUT, and writes the new digest here", async () => {
    const { text, arrays, memory } = takeSnapshot(await load());
    const digests = [await sha256(text)];
    for (const bytes of [...arrays, memory]) digests.push(await sha256(bytes.slice()));
    expect([HOT_LAYOUT, (await sha256(digests.join())).slice(0, 16)]).toEqual([2, "b687b48c7b7e6006"]);
  });
});
