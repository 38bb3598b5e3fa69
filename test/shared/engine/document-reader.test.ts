import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MemoryBudget } from "../../../shared/engine/budget.ts";
import { BlockCache, type DocumentPlace, DocumentReader } from "../../../shared/engine/document-reader.ts";
import type { DocumentBlock } from "../../../shared/format/document-block.ts";
import { DocumentsWriter, openDocuments } from "../../../shared/format/documents.ts";
import { openRanged } from "../../../shared/format/load.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { entryOf } from "../format/helpers.ts";

/** Documents of each file, six to a block. */
const COUNT = 30;
const TEXT = "word ".repeat(2000);

let watched: FaultStore;
const store = new MemoryStore();
const entries: ReturnType<typeof entryOf<{ role: "documents"; ordinal: number }>>[] = [];
const places: DocumentPlace[][] = [];

beforeAll(async () => {
  for (const shard of [0, 1]) {
    const writer = new DocumentsWriter();
    const own: DocumentPlace[] = [];
    for (let at = 0; at < COUNT; at++) {
      const place = await writer.add({ id: `${shard}-${at}`, fields: { text: TEXT }, passages: [] });
      own.push({ shard, ...place });
    }
    const file = await writer.finish();
    const entry = entryOf(file, { role: "documents" as const, ordinal: shard });
    await store.put(entry.key, file.bytes);
    entries.push(entry);
    places.push(own);
  }
});

beforeEach(() => {
  watched = new FaultStore(store);
});

/** A reader over both files; the log is empty when it comes back. */
async function reader(cache: BlockCache): Promise<DocumentReader> {
  const files = [];
  for (const entry of entries)
    files.push({ sha256: entry.sha256, documents: await openDocuments(await openRanged(watched, entry)) });
  watched.log.length = 0;
  return new DocumentReader(files, cache);
}

const blockOf = (shard: number, block: number) => places[shard]!.filter((place) => place.block === block)[0]!;

describe("documents", () => {
  it("come in the order of their places, repeated ones repeated", async () => {
    const read = await reader(new BlockCache(1 << 20));
    const wanted = [places[1]![29]!, places[0]![0]!, places[1]![29]!, places[0]![13]!];
    const found = await read.read(wanted);
    expect(found.map(({ id }) => id)).toEqual(["1-29", "0-0", "1-29", "0-13"]);
    expect(await read.read([])).toEqual([]);
  });

  it("of one block, or of neighbouring ones, take one read for each file", async () => {
    const read = await reader(new BlockCache(1 << 20));
    await read.read(places.flat());
    expect(watched.log).toEqual(entries.map(({ key }) => `getRange ${key}`));
  });

  it("take no read while their blocks are kept", async () => {
    const read = await reader(new BlockCache(1 << 20));
    await read.read(places.flat());
    watched.log.length = 0;
    await read.read([...places.flat()].reverse());
    expect(watched.log).toEqual([]);
  });

  it("take no read while they themselves are kept, though no block is", async () => {
    const read = await reader(new BlockCache(1 << 20, 1 << 20));
    const wanted = [places[0]![7]!, places[1]![3]!, places[0]![7]!];
    const first = await read.read(wanted);
    expect(watched.log.length).toBe(2);
    expect(await read.read(wanted)).toEqual(first);
    expect(watched.log.length).toBe(2);
    // Others of their blocks are not.
    expect(await read.read([places[0]![8]!])).toMatchObject([{ id: "0-8" }]);
    expect(watched.log.length).toBe(3);
  });

  it("go when others are asked for and room is short", async () => {
    const read = await reader(new BlockCache(10 * TEXT.length, 10 * TEXT.length));
    for (let at = 0; at < COUNT; at++) await read.read([places[0]![at]!]);
    expect(watched.log.length).toBe(COUNT);
    await read.read([places[0]![COUNT - 1]!, places[0]![COUNT - 4]!]);
    expect(watched.log.length).toBe(COUNT);
    await read.read([places[0]![COUNT - 5]!]);
    expect(watched.log.length).toBe(COUNT + 1);
  });

  it("are read again, and right, where nothing may be kept", async () => {
    const read = await reader(new BlockCache(0));
    for (let time = 0; time < 2; time++)
      expect(await read.read([places[0]![7]!])).toMatchObject([{ id: "0-7" }]);
    expect(watched.log.length).toBe(2);
  });

  it("hold no more of a file's blocks than those of one step, however many are wanted", async () => {
    const open = await openDocuments(await openRanged(watched, entries[0]!));
    let most = 0;
    let at = 0;
    const documents = {
      ...open,
      eachBlock: (numbers: readonly number[], take: (block: DocumentBlock, number: number) => void) =>
        open.eachBlock(numbers, (block, number) => {
          // Whoever is given a block is done with it before the next is inflated.
          const before = at;
          take({ ...block, record: (index) => block.record(index) }, number);
          most = Math.max(most, ++at - before);
        }),
      blocks: () => Promise.reject(new Error("All blocks were asked for at once.")),
    };
    const read = new DocumentReader([{ sha256: entries[0]!.sha256, documents }], new BlockCache(0));
    const found = await read.read(places[0]!);
    expect(found.map(({ id }) => id)).toEqual(Array.from({ length: COUNT }, (_, number) => `0-${number}`));
    expect([most, at]).toEqual([1, COUNT / 6]);
  });

  it("fail as a whole where one block is not there", async () => {
    const read = await reader(new BlockCache(1 << 20));
    const missing = { shard: 0, block: 99, index: 0 };
    await expect(read.read([places[0]![0]!, missing])).rejects.toMatchObject({ code: "format/invalid" });
    const record = { ...blockOf(0, 0), index: 99 };
    await expect(read.read([record])).rejects.toMatchObject({ code: "format/invalid" });
  });

  it("drop the block that was used longest ago when room is short", async () => {
    const [{ documents }] = [{ documents: await openDocuments(await openRanged(watched, entries[0]!)) }];
    const [block] = await documents.blocks([0]);
    const read = await reader(new BlockCache(2.5 * block!.bytes, 0));
    const reads = async (number: number) => {
      const before = watched.log.length;
      await read.read([blockOf(0, number)]);
      return watched.log.length - before;
    };
    expect([await reads(0), await reads(1)]).toEqual([1, 1]);
    // 0 is used again, so 1 gives way to 2.
    expect([await reads(0), await reads(2)]).toEqual([0, 1]);
    expect([await reads(0), await reads(2), await reads(1)]).toEqual([0, 0, 1]);
  });
});

describe("a cache of blocks", () => {
  const blockOfBytes = (bytes: number): DocumentBlock => ({
    bytes,
    records: 0,
    record: () => ({ id: "x", fields: {}, passages: [] }),
    recordBytes: () => bytes,
  });

  it("never holds more than its bytes, whatever comes in whatever order", () => {
    const cache = new BlockCache(100, 0);
    const sizes = Array.from({ length: 300 }, (_, at) => (at * 37) % 120);
    sizes.forEach((bytes, at) => {
      cache.put(`${at}`, blockOfBytes(bytes));
      const kept = sizes.slice(0, at + 1).map((_, key) => cache.get(`${key}`)?.bytes ?? 0);
      expect(kept.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(100);
    });
  });

  it("keeps what its own bytes do not hold in the free part of a budget, until a claim wants that", () => {
    const budget = new MemoryBudget(200);
    const cache = new BlockCache(100, 0, budget);
    for (const key of ["a", "b", "c", "d"]) cache.put(key, blockOfBytes(50));
    const here = () => ["a", "b", "c", "d"].filter((key) => cache.get(key) !== undefined);
    expect(here()).toEqual(["a", "b", "c", "d"]);
    // 200 of its own and spare are 300 in all; a claim of 150 leaves one spare block, what came last.
    expect(budget.claim(150)).not.toBeNull();
    expect(here().length).toBe(3);
    expect(budget.claim(50)).not.toBeNull();
    expect(here().length).toBe(2);
    expect(budget.usedBytes).toBe(200);
  });

  it("counts a block among its own or among the spare, never among both", () => {
    const budget = new MemoryBudget(100);
    const cache = new BlockCache(100, 0, budget);
    for (let time = 0; time < 20; time++)
      for (const key of ["a", "b", "c", "d"]) {
        if (cache.get(key) === undefined) cache.put(key, blockOfBytes(50));
      }
    expect(["a", "b", "c", "d"].map((key) => cache.get(key)?.bytes)).toEqual([50, 50, 50, 50]);
  });

  it("does not drop everything for a block that is too large to keep", () => {
    const cache = new BlockCache(100, 0);
    cache.put("a", blockOfBytes(60));
    cache.put("b", blockOfBytes(101));
    expect(cache.get("a")).toBeDefined();
    expect(cache.get("b")).toBeUndefined();
  });

  it("counts a block once that is put twice", () => {
    const cache = new BlockCache(100, 0);
    for (let time = 0; time < 5; time++) cache.put("a", blockOfBytes(50));
    cache.put("b", blockOfBytes(50));
    expect(cache.get("a")).toBeDefined();
    expect(cache.get("b")).toBeDefined();
  });
});
