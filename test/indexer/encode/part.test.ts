import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { cachedEncoder, SLICE } from "../../../indexer/encode/cache.ts";
import type { Encoder } from "../../../indexer/encode/encoder.ts";
import { type Part, parsePart, partEncoder } from "../../../indexer/encode/part.ts";
import { fetchFrom, packPrefix } from "../../../indexer/encode/shared-cache.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { numberedTexts, WANTED } from "./texts.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  made.push(mkdtempSync(join(tmpdir(), "lightedge-part-")));
  return made.at(-1)!;
}

const TEXTS = numberedTexts(0, 300);
const HASH = tinyEncoder().model.encoderHash;

/** One run of a part on a machine with this folder, and what it did. */
async function runPart(
  store: WriteStore,
  part: Part,
  {
    folder = newFolder(),
    texts = TEXTS,
    inner = tinyEncoder(),
    ...more
  }: {
    folder?: string;
    texts?: readonly string[];
    inner?: ReturnType<typeof tinyEncoder>;
    now?: () => number;
    packBytes?: number;
  } = {},
) {
  const warnings: string[] = [];
  const encoder = await partEncoder(inner, part, {
    store,
    folder,
    warn: (text) => warnings.push(text),
    ...more,
  });
  try {
    const encodings = await encoder.encode(texts, WANTED);
    await encoder.finish();
    return { encodings, counts: { ...encoder.counts }, encoded: [...inner.encoded], warnings };
  } finally {
    await encoder.close();
  }
}

/** What a run that publishes would get for these texts, on a machine of its own. */
async function runWhole(store: WriteStore, folder = newFolder(), texts = TEXTS) {
  const inner = tinyEncoder();
  const warnings: string[] = [];
  const encoder = cachedEncoder(
    inner,
    folder,
    fetchFrom(store, HASH, (text) => warnings.push(text)),
  );
  try {
    const encodings = await encoder.encode(texts, WANTED);
    return { encodings, encoded: [...inner.encoded], counts: { ...encoder.counts }, warnings };
  } finally {
    await encoder.close();
  }
}

async function packsIn(store: WriteStore): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  for await (const { key, bytes } of store.list("")) found.push({ key, bytes });
  return found;
}

const partsOf = (of: number): Part[] => Array.from({ length: of }, (_, at) => ({ number: at + 1, of }));

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

describe("a part that is stopped", () => {
  it("by its encoder goes on from what it had saved, and puts all of it into the store", async () => {
    const store = new MemoryStore();
    const folder = newFolder();
    const texts = numberedTexts(0, 3 * SLICE);
    const inner = tinyEncoder();
    const failing: Encoder = {
      ...inner,
      encode: (some, wanted) =>
        inner.encoded.length >= 2 * SLICE
          ? Promise.reject(new Error("no power"))
          : inner.encode(some, wanted),
    };
    const options = { store, folder, warn: () => {} };
    const stopped = await partEncoder(failing, { number: 1, of: 1 }, options);
    await expect(stopped.encode(texts, WANTED)).rejects.toThrow("no power");
    expect(await packsIn(store)).toEqual([]);
    const again = await runPart(store, { number: 1, of: 1 }, { folder, texts });
    expect(again.encoded).toEqual(texts.slice(2 * SLICE));
    expect(again.counts.copied).toBe(2 * SLICE);
    expect((await runWhole(store, newFolder(), texts)).encoded).toEqual([]);
    await stopped.close();
  });

  it("by kill -9, again and again, loses what was not stored yet and nothing else", async () => {
    const [folder, place] = [newFolder(), newFolder()];
    const script = fileURLToPath(new URL("./part-writer.ts", import.meta.url));
    const count = 12 * SLICE;
    const write = (dieAfter: number) =>
      spawnSync(process.execPath, [script, folder, place, String(count), String(dieAfter)], {
        encoding: "utf8",
      });
    // The first is killed after its first pack, the second before, and the third without a cache of its own.
    expect(write(7 * SLICE).signal).toBe("SIGKILL");
    expect(write(2 * SLICE).signal).toBe("SIGKILL");
    rmSync(join(folder, HASH.slice(0, 16)), { recursive: true });
    const last = write(Number.POSITIVE_INFINITY);
    expect(last.status).toBe(0);
    // Seven slices were done and five of them stored; two more were done after that, and lost with the disk.
    expect(JSON.parse(last.stdout)).toMatchObject({ own: count, done: 7 * SLICE, copied: 0 });
    const store = new FolderStore(place);
    const whole = await runWhole(store, newFolder(), numberedTexts(0, count));
    expect(whole.encoded).toEqual([]);
    expect(whole.warnings).toEqual([]);
  });

  it("at any operation of the store, once before and once after it landed, is finished by the next", async () => {
    for (const fault of ["crash", "crash after"] as const) {
      let at = 0;
      for (let done = false; !done; at++) {
        const store = new MemoryStore();
        const folder = newFolder();
        const faulty = new FaultStore(store, at, fault);
        await runPart(faulty, { number: 1, of: 2 }, { folder }).then(
          () => {
            done = true;
          },
          (error) => expect(error).toMatchObject({ code: "store/unavailable" }),
        );
        const again = await runPart(store, { number: 1, of: 2 }, { folder });
        // The pack was sealed before it was sent: nothing is encoded twice, nor stored twice.
        expect(again.encoded.length === 0 || at === 0, `${fault} ${at}`).toBe(true);
        await runPart(store, { number: 2, of: 2 });
        expect((await packsIn(store)).length).toBe(2);
        expect((await runWhole(store)).encoded).toEqual([]);
      }
      expect(at).toBeGreaterThan(1);
    }
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
