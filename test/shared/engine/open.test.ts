import { beforeAll, describe, expect, it } from "vitest";
import type { BuildReport } from "../../../indexer/build.ts";
import { commit, readPointer } from "../../../indexer/store/publish.ts";
import { BlockCache } from "../../../shared/engine/document-reader.ts";
import { type OpenOptions, openIndex, readCurrent } from "../../../shared/engine/open.ts";
import { bindingHash, bindingParts } from "../../../shared/format/binding.ts";
import {
  type BlobEntry,
  blobsOf,
  type Manifest,
  serializeManifest,
} from "../../../shared/format/manifest.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { buildTiny, copyOf, requestFor, TINY, tinyPorts } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

let built: BuildReport & { readonly store: MemoryStore };
beforeAll(async () => {
  built = await buildTiny({ shardChunks: 30 });
});

/** Opens the index of a store and says which reads that took, even where it failed. */
async function opening(store: MemoryStore, options: OpenOptions = {}) {
  const watched = new FaultStore(store);
  const outcome = await openIndex(await tinyPorts(watched), TINY, options).then(
    (index) => ({ index, error: null }),
    (error: unknown) => ({ index: null, error }),
  );
  return { ...outcome, reads: watched.log };
}

/** Makes a changed manifest the current version, in the way a hostile or broken indexer would. */
async function published(store: MemoryStore, manifest: Manifest): Promise<MemoryStore> {
  const copy = await copyOf(store);
  const base = await readPointer(copy, TINY);
  const bytes = serializeManifest(manifest);
  await commit(copy, TINY, { manifest: bytes, blobs: manifest.blobs, base });
  return copy;
}

describe("opening an index", () => {
  it("reads pointer, manifest and blobs once each, and of documents no more than their beginning", async () => {
    const { reads, index } = await opening(built.store);
    const { manifest } = index!;
    expect(blobsOf(manifest, "shard").length).toBeGreaterThan(1);
    const { manifest: reference } = await readCurrent(built.store, TINY);
    const wanted = manifest.blobs.map(
      ({ role, key }) => `${role === "documents" ? "getRange" : "get"} ${key}`,
    );
    expect(reads.slice(0, 2)).toEqual([`get indexes/${TINY}/current.json`, `get ${reference.key}`]);
    expect(reads.slice(2).sort()).toEqual(wanted.sort());
  });

  it("reads no documents beforehand, and only those of an answer afterwards", async () => {
    const watched = new FaultStore(built.store);
    const index = await openIndex(await tinyPorts(watched), TINY);
    const before = watched.log.length;
    await index.search(requestFor("river boat", { limit: 3 }));
    const reads = watched.log.slice(before);
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.length).toBeLessThanOrEqual(3);
    await index.search(requestFor("river boat", { limit: 3 }));
    expect(watched.log.length).toBe(before + reads.length);
  });

  it("holds at least the bytes of its tables, lexicon and shards, and says how many", async () => {
    const { index } = await opening(built.store);
    const stored = index!.manifest.blobs
      .filter(({ role }) => role === "table" || role === "lexicon" || role === "shard")
      .reduce((sum, { bytes }) => sum + bytes, 0);
    expect(index!.residentBytes).toBeGreaterThan(stored / 2);
  });

  it("is refused for an index that is not there, after one read", async () => {
    const { error, reads } = await opening(new MemoryStore());
    expect(error).toMatchObject({ code: "index/not-found", details: { value: TINY } });
    expect(reads.length).toBe(1);
  });

  it("is refused above the budget before any blob is read", async () => {
    const { error, reads } = await opening(built.store, { residentBytes: 1000 });
    expect(error).toMatchObject({ code: "index/too-large", details: { limit: 1000 } });
    expect(reads.filter((read) => read.includes("blobs/"))).toEqual([]);
    expect(reads.length).toBe(2);
  });

  it("is refused where a query would touch too many shards, before any blob is read", async () => {
    const [{ manifest }] = [(await opening(built.store)).index!];
    const [shard, documents] = [blobsOf(manifest, "shard")[0]!, blobsOf(manifest, "documents")[0]!];
    const many = (count: number): Manifest => {
      const others = manifest.blobs.filter(({ role }) => role !== "shard" && role !== "documents");
      const at = others.findIndex(({ role }) => role === "tombstones" || role === "overlay");
      const copies = Array.from({ length: count }, (_, ordinal) => ordinal);
      const blobs = [
        ...copies.map((ordinal) => ({ ...shard, ordinal })),
        ...copies.map((ordinal) => ({ ...documents, ordinal })),
      ];
      return { ...manifest, blobs: others.toSpliced(at < 0 ? others.length : at, 0, ...blobs) };
    };
    const { error, reads } = await opening(await published(built.store, many(65)));
    expect(error).toMatchObject({ code: "index/too-many-shards", details: { limit: 64 } });
    expect(String(error)).toContain("65 shards and 64 are allowed");
    expect(reads.length).toBe(2);
    const { error: other } = await opening(await published(built.store, many(64)));
    expect(other).not.toMatchObject({ code: "index/too-many-shards" });
  });

  it("works part by part within a budget that has little to spare", async () => {
    const { index } = await opening(built.store);
    const tight = await opening(built.store, { residentBytes: index!.residentBytes });
    const request = requestFor("river boat", { limit: 20 });
    expect((await tight.index!.search(request)).hits).toEqual((await index!.search(request)).hits);
  });

  it("is refused where the pointer is that of another index", async () => {
    const store = await copyOf(built.store);
    await store.put("indexes/other/current.json", (await store.get(`indexes/${TINY}/current.json`))!.body);
    await expect(openIndex(await tinyPorts(store), "other")).rejects.toMatchObject({
      code: "format/invalid",
    });
  });
});

describe("a blob that is gone", () => {
  it("is looked for twice and then named", async () => {
    for (const { key } of built.manifest.blobs) {
      const store = await copyOf(built.store);
      await store.delete(key);
      const { error, reads } = await opening(store);
      expect(error).toMatchObject({ code: "blob/missing", details: { blob: key } });
      expect(reads.filter((read) => read.endsWith(key)).length).toBe(2);
    }
  });
});

describe("a blob with a wrong bit", () => {
  it("is fetched twice and then named", async () => {
    for (const { key, role } of built.manifest.blobs) {
      const store = await copyOf(built.store);
      const { body } = (await store.get(key))!;
      // Of a documents file only the head is read here.
      body[role === "documents" ? 100 : body.length >> 1]! ^= 4;
      await store.put(key, body);
      const { error, reads } = await opening(store);
      expect(error).toMatchObject({ code: "blob/corrupt", details: { blob: key } });
      expect(reads.filter((read) => read.endsWith(key)).length).toBe(2);
    }
  });

  it("is healed by a second read that gives the right bits", async () => {
    const [{ key } = { key: "" }] = blobsOf(built.manifest, "shard");
    let bad = 1;
    const flaky = {
      head: (name: string) => built.store.head(name),
      getRange: (name: string, offset: number, length: number) => built.store.getRange(name, offset, length),
      get: async (name: string) => {
        const object = await built.store.get(name);
        if (object !== null && name === key && bad-- > 0) object.body[500]! ^= 1;
        return object;
      },
    };
    expect((await openIndex(await tinyPorts(flaky), TINY)).version).toBe(built.version);
    expect(bad).toBe(-1);
  });
});

describe("an index without a lexicon", () => {
  it("opens, and searches for every word as it was typed", async () => {
    const blobs = built.manifest.blobs.filter(({ role }) => role !== "lexicon");
    expect(blobs.length).toBe(built.manifest.blobs.length - 1);
    const { index } = await opening(await published(built.store, { ...built.manifest, blobs }));
    const answer = await index!.search(requestFor("harbuor boat"));
    expect(answer).not.toHaveProperty("corrections");
    const typed = await (await opening(built.store)).index!.search(
      requestFor("harbuor boat", { typos: false }),
    );
    expect(answer.hits).toEqual(typed.hits);
  });
});

describe("a table of another index", () => {
  let foreign: BlobEntry;
  let store: MemoryStore;
  beforeAll(async () => {
    const other = await buildTiny({ index: "other", source: sourceOf(tinyDocuments(50, 9)) });
    foreign = blobsOf(other.manifest, "table")[0]!;
    store = await copyOf(built.store);
    await store.put(foreign.key, (await other.store.get(foreign.key))!.body);
  });

  it("is corrupt where its bytes lie under this one's key", async () => {
    const [own] = blobsOf(built.manifest, "table");
    const swapped = await copyOf(store);
    await swapped.put(own!.key, (await store.get(foreign.key))!.body);
    expect((await opening(swapped)).error).toMatchObject({
      code: "blob/corrupt",
      details: { blob: own!.key },
    });
  });

  const exchanged = (): Manifest => ({
    ...built.manifest,
    tasks: built.manifest.tasks.map((task) => ({ ...task, table: foreign.sha256 })),
    blobs: built.manifest.blobs.map((blob) => (blob.role === "table" ? foreign : blob)),
  });

  it("is a mismatch where the manifest names it under the old binding", async () => {
    const { error } = await opening(await published(store, exchanged()));
    expect(error).toMatchObject({ code: "binding/mismatch", details: { field: "binding" } });
  });

  it("is a mismatch under a new binding too, as shards name the table they were made with", async () => {
    const manifest = exchanged();
    const binding = await bindingHash(bindingParts(manifest));
    const { error } = await opening(await published(store, { ...manifest, binding }));
    expect(error).toMatchObject({ code: "binding/mismatch", details: { field: "table" } });
  });
});

describe("a cache of blocks given by the caller", () => {
  it("serves two openings of one index with one read", async () => {
    const watched = new FaultStore(built.store);
    const blocks = new BlockCache(1 << 20);
    const first = await openIndex(await tinyPorts(watched), TINY, { blocks });
    const second = await openIndex(await tinyPorts(watched), TINY, { blocks });
    await first.document("empty");
    const reads = watched.log.length;
    expect(await second.document("empty")).toMatchObject({ id: "empty" });
    expect(watched.log.length).toBe(reads);
  });
});
