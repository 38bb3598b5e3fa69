/** What it costs to have an index loaded from a region's store: reads, and which of them wait for others. */
import { beforeAll, describe, expect, test } from "vitest";
import { IndexCache } from "../../../edge/index-cache.ts";
import { keyOf } from "../../../edge/regions/key.ts";
import { sourceOf } from "../../../edge/regions/source.ts";
import { blobsOf, residentBytesOf } from "../../../shared/format/manifest.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { buildTiny, copyOf, requestFor, TINY } from "../../helpers/tiny-build.ts";

const NAMES = ["weur", "enam"] as const;

let small: MemoryStore;
let sharded: MemoryStore;
beforeAll(async () => {
  ({ store: small } = await buildTiny());
  ({ store: sharded } = await buildTiny({ shardChunks: 20 }));
});

/** A store that answers no read of a blob until this many blobs have been asked for: whoever waits for one before it asks for the next never ends. */
function gated(inner: ReadStore, blobs: number): ReadStore {
  const asked = new Set<string>();
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const after = async <T>(key: string, read: () => Promise<T>): Promise<T> => {
    if (!key.startsWith("blobs/")) return read();
    asked.add(key);
    if (asked.size === blobs) resolve();
    await all;
    return read();
  };
  return {
    get: (key) => after(key, () => inner.get(key)),
    getRange: (key, offset, length) => after(key, () => inner.getRange(key, offset, length)),
    head: (key) => inner.head(key),
  };
}

/** A cache over two regions with copies of a store. */
async function isolate(store: MemoryStore, budgetBytes: number, blobsAtOnce = 0) {
  const watched = new Map<string, FaultStore>();
  const regions = await Promise.all(
    NAMES.map(async (name, at) => {
      const faults = new FaultStore(await copyOf(store));
      watched.set(name, faults);
      return { name, home: at === 0, store: blobsAtOnce === 0 ? faults : gated(faults, blobsAtOnce) };
    }),
  );
  const source = sourceOf({
    ...{ regions, inbox: null, budgetBytes, log: () => undefined },
    kernels: createReferenceKernels,
    now: () => 0,
    isAvoided: () => false,
  });
  const cache = new IndexCache(source, {
    ...{ budgetBytes, waitingBytes: 1000, slots: 4, pointerMaxAgeMs: 10_000, patienceMs: 1000 },
    now: () => 0,
  });
  const get = (region: string) => cache.get(keyOf(region, TINY), { waitUntil: () => undefined });
  return { cache, get, reads: (region: string) => watched.get(region)!.log };
}

describe("loading an index of a region", () => {
  test.each(["small", "sharded"] as const)(
    "reads each thing once, and all files at once when their names are known: %s",
    async (which) => {
      const store = which === "small" ? small : sharded;
      const { get, reads } = await isolate(store, 1e8);
      const { manifest } = await get("enam");
      const shards = blobsOf(manifest, "shard").length;
      expect(which === "small" ? shards === 1 : shards > 2).toBe(true);
      // Pointer, manifest, every blob; a documents file's directory comes with its head.
      expect(reads("enam")).toHaveLength(2 + manifest.blobs.length);
      expect(new Set(reads("enam")).size).toBe(2 + manifest.blobs.length);
      expect(reads("weur")).toEqual([]);

      const together = await isolate(store, 1e8, new Set(manifest.blobs.map(({ key }) => key)).size);
      expect((await together.get("enam")).version).toBe((await get("enam")).version);
    },
  );

  test("in another region's place costs no more, and the answer is the same", async () => {
    const roomy = await isolate(sharded, 1e8);
    const first = await roomy.get("weur");
    // Room for one of the two.
    const tight = await isolate(sharded, Math.ceil(first.residentBytes * 1.2));
    await tight.get("weur");
    const second = await tight.get("enam");
    expect(tight.reads("enam").toSorted()).toEqual(roomy.reads("weur").toSorted());
    expect([...tight.cache.entries().keys()]).toEqual([keyOf("enam", TINY)]);
    expect(tight.cache.residentBytes).toBeLessThanOrEqual(first.residentBytes * 1.2);
    const request = requestFor("river boat");
    const answers = [await first.search(request), await second.search(request)];
    expect(answers.map(({ region }) => region)).toEqual(["weur", "enam"]);
    expect(answers[1]).toEqual({ ...answers[0], region: "enam" });
  });

  test("that could never fit reads nothing of it, and leaves alone what is loaded", async () => {
    const { get, reads, cache } = await isolate(small, 1e8);
    const { manifest } = await get("weur");
    const tight = await isolate(small, residentBytesOf(manifest) - 1);
    await expect(tight.get("enam")).rejects.toMatchObject({ code: "index/too-large" });
    expect(tight.reads("enam")).toHaveLength(2);
    expect([...cache.entries().keys()]).toEqual([keyOf("weur", TINY)]);
    expect(reads("enam")).toEqual([]);
  });
});
