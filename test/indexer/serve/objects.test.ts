/** An index that no isolate here holds: its shards in Durable Objects, over every step that can forget them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServeOptions, type Serving, serve } from "../../../indexer/serve.ts";
import type { ServedStore } from "../../../indexer/store/service.ts";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { MIB } from "../../../shared/limits.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { MODES, type SearchAnswer } from "../../../shared/types.ts";
import { buildTiny, openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const QUERIES = ["the river boat", "comet orbit telescope", "北京 café", "xyzzy"];

let store: MemoryStore;
let served: ServedStore;
let index: OpenIndex;
let folder: string;
/** Reads of shards so far. */
let shardReads = 0;

beforeAll(async () => {
  const built = await buildTiny({ source: sourceOf(tinyDocuments(2400)), shardChunks: 700 });
  store = built.store;
  index = await openTiny(store, "wasm");
  const shards = new Set(blobsOf(built.manifest, "shard").map(({ key }) => key));
  const counted = (key: string): string => {
    if (shards.has(key)) shardReads++;
    return key;
  };
  served = {
    get: (key) => store.get(counted(key)),
    getRange: (key, offset, length) => store.getRange(counted(key), offset, length),
    head: (key) => store.head(key),
    list: (prefix) => store.list(prefix),
    putIfAbsent: (key, body) => store.putIfAbsent(key, body),
  };
  folder = await mkdtemp(join(tmpdir(), "lightedge-objects-"));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const options = (): ServeOptions => ({
  ...{ store: served, host: "127.0.0.1", port: 0, indexes: [TINY], examples: [], pointerMaxAge: 60 },
  ...{ residentBytes: MIB, persist: folder },
});

async function same(url: string, queries: readonly string[] = QUERIES): Promise<void> {
  for (const q of queries) {
    for (const mode of MODES) {
      const asked = new URLSearchParams({ q, mode, explain: "true", limit: "20" });
      const response = await fetch(new URL(`v1/indexes/${TINY}/search?${asked}`, url));
      const there = (await response.json()) as SearchAnswer;
      const here = await index.search(requestFor(q, { mode, explain: true, limit: 20 }));
      expect(there).toMatchObject({ placement: "objects", partial: false, total: here.total });
      expect(there.hits).toEqual(JSON.parse(JSON.stringify(here.hits)));
    }
  }
}

const order = (serving: Serving, body: object) =>
  fetch(`${serving.control}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

describe("shard objects in workerd", { timeout: 120_000 }, () => {
  it("answer as Node does to the bit, also after evictions, a kill and another server over their storage", async () => {
    const serving = await serve({ ...options(), control: 0 });
    try {
      await same(serving.url);
      const loaded = shardReads;
      expect(loaded).toBeGreaterThan(0);
      expect((await order(serving, { evict: true })).status).toBe(200);
      await same(serving.url);
      expect((await order(serving, { restart: true })).status).toBe(200);
      await same(serving.url);
      expect(shardReads).toBe(loaded);
    } finally {
      await serving.close();
    }
    const before = shardReads;
    const next = await serve({ ...options(), control: 0 });
    try {
      await same(next.url);
      expect(shardReads).toBe(before);
    } finally {
      await next.close();
    }
  });

  it("of a region that is cut are passed over for those of the next, and found again", async () => {
    const regions = [
      { name: "weur", store: served },
      { name: "enam", store },
    ] as const;
    const { persist: _, ...rest } = options();
    const serving = await serve({ ...rest, regions, control: 0 });
    const answering = async () => {
      const response = await fetch(new URL(`v1/indexes/${TINY}/search?q=boat`, serving.url));
      return ((await response.json()) as SearchAnswer).region;
    };
    try {
      const few = QUERIES.slice(0, 1);
      await same(serving.url, few);
      expect(await answering()).toBe("weur");
      await order(serving, { region: "weur", cut: "refuse" });
      expect(await answering()).toBe("enam");
      await same(serving.url, few);
      await order(serving, { heal: true });
      await expect.poll(answering, { timeout: 30_000, interval: 100 }).toBe("weur");
      await order(serving, { region: "weur", cut: "hang" });
      expect(await answering()).toBe("enam");
    } finally {
      await serving.close();
    }
  });

  it("are there without regions and faults too", async () => {
    const serving = await serve(options());
    try {
      await same(serving.url);
      expect(serving.control).toBeUndefined();
    } finally {
      await serving.close();
    }
  });
});
