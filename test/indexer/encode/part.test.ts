import { describe, expect, it } from "vitest";
import { cachedEncoder } from "../../../indexer/encode/cache.ts";
import { parsePart } from "../../../indexer/encode/part.ts";
import { fetchFrom } from "../../../indexer/encode/shared-cache.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { HASH, newFolder, partsOf, runPart, runWhole, TEXTS } from "./part-runs.ts";
import { WANTED } from "./texts.ts";

describe("the text that names a part", () => {
  it("is a number of a number", () => {
    expect(parsePart("3/8")).toEqual({ number: 3, of: 8 });
    expect(parsePart("1/1")).toEqual({ number: 1, of: 1 });
    expect(parsePart("1000/1000")).toEqual({ number: 1000, of: 1000 });
  });

  it.each(["", "3", "0/8", "9/8", "3/0", "-1/8", "1.5/8", "3/8/9", " 3/8", "1/1001", "a/b", "3/08x"])(
    "is refused with what is allowed where it is none: %j",
    (text) => {
      expect(() => parsePart(text)).toThrow(
        /--part must be a part of all, from 1\/1 to 1000\/1000, such as 3\/8/u,
      );
    },
  );
});

describe("the parts of a corpus", () => {
  it.each([1, 2, 3, 8])("encode each text exactly once between them: %i", async (of) => {
    const store = new MemoryStore();
    const encoded: string[] = [];
    for (const part of partsOf(of)) {
      const run = await runPart(store, part, { texts: [...TEXTS, ...TEXTS.slice(0, 50)] });
      expect(run.encoded.length).toBe(run.counts.own);
      // No part does more than twice its share.
      expect(run.counts.own).toBeLessThan((2 * TEXTS.length) / of + 1);
      encoded.push(...run.encoded);
    }
    expect(encoded.sort()).toEqual([...TEXTS].sort());
  });

  it("in any order leave nothing to encode, and the same encodings to the bit", async () => {
    const alone = await tinyEncoder().encode(TEXTS, WANTED);
    for (const order of [partsOf(3), partsOf(3).reverse()]) {
      const store = new MemoryStore();
      for (const part of order) await runPart(store, part);
      const whole = await runWhole(store);
      expect(whole.encoded).toEqual([]);
      expect(whole.counts).toEqual({ hits: TEXTS.length, misses: 0 });
      expect(whole.encodings).toEqual(alone);
    }
  });

  it("that are missing are encoded by the run that publishes, and nothing else", async () => {
    const store = new MemoryStore();
    await runPart(store, { number: 1, of: 3 });
    const second = await runPart(new MemoryStore(), { number: 2, of: 3 });
    const third = await runPart(store, { number: 3, of: 3 });
    expect(third.encoded.length).toBeGreaterThan(0);
    const whole = await runWhole(store);
    expect([...whole.encoded].sort()).toEqual([...second.encoded].sort());
    expect(whole.encodings).toEqual(await tinyEncoder().encode(TEXTS, WANTED));
  });

  it("give zeros, which mean nothing, of the size that a caller expects", async () => {
    const { encodings } = await runPart(new MemoryStore(), { number: 1, of: 2 });
    expect(encodings.length).toBe(TEXTS.length);
    for (const { dense, sparse } of encodings) {
      expect(dense).toEqual(new Float32Array(tinyEncoder().model.description.dimension));
      expect(sparse?.ids.length).toBe(0);
    }
  });
});

describe("a run that publishes", () => {
  it("finds what another process on the same machine fetched or encoded since it began", async () => {
    const store = new MemoryStore();
    await runPart(store, { number: 1, of: 1 });
    const folder = newFolder();
    const inner = tinyEncoder();
    const early = cachedEncoder(
      inner,
      folder,
      fetchFrom(store, HASH, () => {}),
    );
    await runWhole(store, folder);
    expect(await early.encode(TEXTS, WANTED)).toEqual(await tinyEncoder().encode(TEXTS, WANTED));
    expect(inner.encoded).toEqual([]);
    await early.close();
  });

  it("asks the store for packs once, and not at all where its own cache has everything", async () => {
    const store = new MemoryStore();
    for (const part of partsOf(2)) await runPart(store, part);
    const folder = newFolder();
    const log = new FaultStore(store);
    const encoder = cachedEncoder(
      tinyEncoder(),
      folder,
      fetchFrom(log, HASH, () => {}),
    );
    await encoder.encode(TEXTS, WANTED);
    await encoder.encode(["a text that nobody encoded"], WANTED);
    await encoder.close();
    expect(log.log.filter((entry) => entry.startsWith("list"))).toHaveLength(1);
    expect(log.log.filter((entry) => entry.startsWith("get"))).toHaveLength(2);
    const second = new FaultStore(store);
    const again = cachedEncoder(
      tinyEncoder(),
      folder,
      fetchFrom(second, HASH, () => {}),
    );
    await again.encode(TEXTS, WANTED);
    await again.close();
    expect(second.log).toEqual([]);
  });
});
