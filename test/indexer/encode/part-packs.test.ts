/** The packs that parts leave in the store, whole and damaged. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cachedEncoder, SLICE } from "../../../indexer/encode/cache.ts";
import { partEncoder } from "../../../indexer/encode/part.ts";
import { packPrefix } from "../../../indexer/encode/shared-cache.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { HASH, newFolder, packsIn, partsOf, runPart, runWhole, TEXTS } from "./part-runs.ts";
import { numberedTexts, WANTED } from "./texts.ts";

describe("packs in the store", () => {
  it("are named by the digest of their bytes, below the encoder's own prefix", async () => {
    const store = new MemoryStore();
    await runPart(store, { number: 1, of: 1 });
    const packs = await packsIn(store);
    expect(packs.length).toBe(1);
    for (const { key } of packs) {
      const digest = createHash("sha256")
        .update((await store.get(key))!.body)
        .digest("hex");
      expect(key).toBe(`${packPrefix(HASH)}${digest}.pack`);
    }
  });

  it("are written once: a part that runs again, here or on a new machine, encodes and writes nothing", async () => {
    const store = new MemoryStore();
    const part = { number: 2, of: 3 };
    const folder = newFolder();
    await runPart(store, part, { folder });
    const before = await packsIn(store);
    for (const again of [folder, newFolder()]) {
      const { encoded, counts } = await runPart(store, part, { folder: again });
      expect(encoded).toEqual([]);
      expect(counts).toMatchObject({ encoded: 0, copied: 0, packs: 0, bytes: 0 });
    }
    expect(await packsIn(store)).toEqual(before);
  });

  it("get what the local cache had from runs before, and only this part of it", async () => {
    const store = new MemoryStore();
    const folder = newFolder();
    const first = cachedEncoder(tinyEncoder(), folder);
    await first.encode(TEXTS, WANTED);
    await first.close();
    for (const part of partsOf(3)) {
      const { encoded, counts } = await runPart(store, part, { folder });
      expect(encoded).toEqual([]);
      expect(counts.copied).toBe(counts.own);
    }
    expect((await runWhole(store)).encoded).toEqual([]);
  });

  it("stay below the size that is allowed", async () => {
    const store = new MemoryStore();
    // Read slice by slice, as a pipeline asks.
    const folder = newFolder();
    const encoder = await partEncoder(
      tinyEncoder(),
      { number: 1, of: 1 },
      {
        store,
        folder,
        warn: () => {},
        packBytes: 20_000,
      },
    );
    for (let at = 0; at < TEXTS.length; at += 20) await encoder.encode(TEXTS.slice(at, at + 20), WANTED);
    await encoder.finish();
    await encoder.close();
    const packs = await packsIn(store);
    expect(packs.length).toBeGreaterThan(2);
    expect(encoder.counts.packs).toBe(packs.length);
    for (const { bytes } of packs) expect(bytes).toBeLessThanOrEqual(20_000);
    expect((await runWhole(store)).encoded).toEqual([]);
  });

  it("are written every five minutes, so that a machine that is taken away loses no more", async () => {
    const store = new MemoryStore();
    let minutes = 0;
    const inner = tinyEncoder();
    const slow: ReturnType<typeof tinyEncoder> = {
      ...inner,
      encode(texts, wanted) {
        minutes += 3;
        return inner.encode(texts, wanted);
      },
    };
    const texts = numberedTexts(0, 4 * SLICE);
    const encoder = await partEncoder(
      slow,
      { number: 1, of: 1 },
      {
        store,
        folder: newFolder(),
        warn: () => {},
        now: () => minutes * 60_000,
      },
    );
    await encoder.encode(texts, WANTED);
    // Never finished and never closed: the machine was taken away.
    expect((await packsIn(store)).length).toBe(2);
    const { encoded } = await runPart(store, { number: 1, of: 1 }, { texts });
    expect(encoded).toEqual([]);
    await encoder.close();
  });
});

describe("a pack that is not what its name says", () => {
  it("is left out with a warning, and costs what was in it", async () => {
    const store = new MemoryStore();
    for (const part of partsOf(2)) await runPart(store, part);
    const [{ key } = { key: "" }] = await packsIn(store);
    const { body } = (await store.get(key))!;
    for (const damaged of [
      body.slice(0, body.length - 7),
      Uint8Array.from(body, (byte, at) => byte ^ (at === 40 ? 1 : 0)),
    ]) {
      await store.put(key, damaged);
      const folder = newFolder();
      const whole = await runWhole(store, folder);
      expect(whole.warnings).toEqual([`${key} is damaged; what is in it is encoded again.`]);
      expect(whole.encoded.length).toBeGreaterThan(0);
      expect(whole.encoded.length).toBeLessThan(TEXTS.length);
      expect(whole.encodings).toEqual(await tinyEncoder().encode(TEXTS, WANTED));
    }
  });

  it("is not even fetched where its name is no digest", async () => {
    const store = new MemoryStore();
    await store.put(`${packPrefix(HASH)}notes.txt`, new TextEncoder().encode("hello"));
    await store.put(`${packPrefix(HASH)}a/b.pack`, new TextEncoder().encode("hello"));
    const folder = newFolder();
    const { warnings, encoded } = await runWhole(store, folder);
    expect(warnings).toEqual([]);
    expect(encoded.length).toBe(TEXTS.length);
    expect(readdirSync(join(folder, HASH.slice(0, 16))).every((name) => name.endsWith(".pack"))).toBe(true);
  });

  it("in the local cache alone does not hide the store's", async () => {
    const store = new MemoryStore();
    await runPart(store, { number: 1, of: 1 });
    const folder = newFolder();
    await runWhole(store, folder);
    const [name] = readdirSync(join(folder, HASH.slice(0, 16)));
    const path = join(folder, HASH.slice(0, 16), name!);
    const bytes = readFileSync(path);
    bytes[30]! ^= 1;
    writeFileSync(path, bytes);
    // One record is spoilt: it is encoded again, and the rest is used.
    expect((await runWhole(store, folder)).encoded).toEqual(TEXTS.slice(0, 1));
  });
});
