import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkIndex } from "../../indexer/check.ts";
import type { CachedEncoder } from "../../indexer/encode/cache.ts";
import { nodePorts } from "../../indexer/engine-node.ts";
import { serve } from "../../indexer/serve.ts";
import { openIndex } from "../../shared/engine/open.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { MODES, type SearchAnswer } from "../../shared/types.ts";
import { build, firstPassages, QUERIES, realEncoder } from "../helpers/real-index.ts";

const PASSAGES = 40;
let encoder: CachedEncoder;
const original = new MemoryStore();

beforeAll(async () => {
  encoder = await realEncoder();
  await build(encoder, original, firstPassages(PASSAGES));
}, 60_000);
afterAll(() => encoder.close());

/** A store of its own with the index that was built once. */
async function freshStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  for await (const { key } of original.list("")) await store.put(key, (await original.get(key))!.body);
  return store;
}

async function flipped(store: MemoryStore, key: string): Promise<void> {
  const body = (await store.get(key))!.body;
  body[Math.floor(body.length / 2)]! ^= 1;
  await store.put(key, body);
}

describe("a second run", () => {
  it("encodes nothing, writes nothing and publishes nothing where nothing changed", async () => {
    const store = await freshStore();
    const misses = encoder.counts.misses;
    const again = await build(encoder, store, firstPassages(PASSAGES));
    expect(again).toMatchObject({ changed: false, bytesWritten: 0, version: expect.stringMatching(/^1-/u) });
    expect(encoder.counts.misses).toBe(misses);
  });

  it("gives the same bytes in another store", async () => {
    const blobs = async (store: MemoryStore) =>
      (await openIndex(await nodePorts(store), "test")).manifest.blobs;
    const other = new MemoryStore();
    await build(encoder, other, firstPassages(PASSAGES));
    expect(await blobs(other)).toEqual(await blobs(original));
  });

  it("publishes the next version on top where documents changed", async () => {
    const store = await freshStore();
    const next = await build(encoder, store, firstPassages(PASSAGES + 1));
    expect(next.changed).toBe(true);
    expect(next.version).toMatch(/^2-/u);
    expect(next.manifest.counts.documents).toBe(PASSAGES + 1);
    expect((await checkIndex(store, "test")).problems).toEqual([]);
  });
});

describe("a source without documents", () => {
  it("is refused, and what was published stays", async () => {
    const store = await freshStore();
    await expect(build(encoder, store, firstPassages(0))).rejects.toMatchObject({ code: "source/invalid" });
    expect((await checkIndex(store, "test")).documents).toBe(PASSAGES);
  });
});

describe("check", () => {
  it("finds nothing wrong with a fresh index", async () => {
    const report = await checkIndex(await freshStore(), "test");
    expect(report).toMatchObject({ problems: [], documents: PASSAGES });
  });

  it("names any blob of which one bit was flipped, and any that is gone", async () => {
    const { manifest } = await openIndex(await nodePorts(await freshStore()), "test");
    for (const { key } of manifest.blobs) {
      const damaged = await freshStore();
      await flipped(damaged, key);
      expect((await checkIndex(damaged, "test")).problems.join()).toContain(key);
      const gone = await freshStore();
      await gone.delete(key);
      expect((await checkIndex(gone, "test")).problems.join()).toContain(key);
    }
  });
});

describe("opening a damaged index", () => {
  it("is refused for every kind of blob, naming it", async () => {
    const { manifest } = await openIndex(await nodePorts(await freshStore()), "test");
    for (const { key, role } of manifest.blobs) {
      if (role === "documents") continue;
      const damaged = await freshStore();
      await flipped(damaged, key);
      const opening = openIndex(await nodePorts(damaged), "test");
      await expect(opening).rejects.toMatchObject({ code: "blob/corrupt", details: { blob: key } });
    }
  });

  it("is refused above the budget before any blob is read", async () => {
    const store = await freshStore();
    const reads: string[] = [];
    const ports = await nodePorts(store);
    const watched = {
      ...ports,
      store: {
        get: (key: string) => {
          reads.push(key);
          return store.get(key);
        },
        getRange: store.getRange.bind(store),
        head: store.head.bind(store),
      },
    };
    await expect(openIndex(watched, "test", { residentBytes: 1000 })).rejects.toMatchObject({
      code: "index/too-large",
    });
    expect(reads.filter((key) => key.startsWith("blobs/"))).toEqual([]);
  });
});

describe("workerd", () => {
  it("answers as Node does, to the bit", async () => {
    const store = await freshStore();
    const index = await openIndex(await nodePorts(store), "test");
    const serving = await serve({
      store,
      host: "127.0.0.1",
      port: 0,
      indexes: ["test"],
      examples: [],
      pointerMaxAge: 60,
    });
    try {
      for (const q of QUERIES) {
        for (const mode of MODES) {
          const url = new URL(
            `v1/indexes/test/search?q=${encodeURIComponent(q)}&mode=${mode}&explain=true`,
            serving.url,
          );
          const there = (await (await fetch(url)).json()) as SearchAnswer;
          const here = await index.search({ q, mode, limit: 10, offset: 0, explain: true });
          expect(there.hits).toEqual(JSON.parse(JSON.stringify(here.hits)));
          expect(there.total).toBe(here.total);
        }
      }
    } finally {
      await serving.close();
    }
  });

  it("answers 503 naming a corrupt shard, never an empty 200", async () => {
    const store = await freshStore();
    const { manifest } = await openIndex(await nodePorts(store), "test");
    const { key } = blobsOf(manifest, "shard")[0]!;
    await flipped(store, key);
    const serving = await serve({
      store,
      host: "127.0.0.1",
      port: 0,
      indexes: ["test"],
      examples: [],
      pointerMaxAge: 60,
    });
    try {
      const response = await fetch(new URL("v1/indexes/test/search?q=river", serving.url));
      expect(response.status).toBe(503);
      const body = (await response.json()) as {
        readonly error: { readonly code: string; readonly message: string };
      };
      expect(body.error.code).toBe("blob/corrupt");
      expect(body.error.message).toContain(key);
    } finally {
      await serving.close();
    }
  });
});
