import { beforeAll, describe, expect, it } from "vitest";
import { openIndex } from "../../../shared/engine/open.ts";
import { SharedParts } from "../../../shared/engine/shared-parts.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { buildTiny, requestFor, TINY, tinyPorts } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const QUERY = requestFor("river boat", { limit: 20, explain: true });

let store: MemoryStore;
beforeAll(async () => {
  ({ store } = await buildTiny({ source: sourceOf(tinyDocuments(90)), shardChunks: 60 }));
});

/** Ports that count kernel memories, and reads by key. */
async function countingPorts() {
  const ports = await tinyPorts(store, "wasm");
  const counts = { memories: 0 };
  return {
    counts,
    ports: {
      ...ports,
      kernels: (capBytes: number) => {
        counts.memories++;
        return ports.kernels(capBytes);
      },
    },
  };
}

describe("parts that are shared", () => {
  it("are in memory once for all who have them, and answer as parts of their own do", async () => {
    const { counts, ports } = await countingPorts();
    const alone = await openIndex(ports, TINY);
    const own = counts.memories;
    const parts = new SharedParts();
    const first = await openIndex(ports, TINY, { parts });
    const second = await openIndex(ports, TINY, { parts });
    // Its own: none. A slot for writes is made when there are some.
    expect(counts.memories).toBe(2 * own);
    const { took_ms: _, ...expected } = await alone.search(QUERY);
    for (const index of [first, second, first]) {
      const { took_ms: __, ...answer } = await index.search(QUERY);
      expect(answer).toEqual(expected);
    }
    expect(own).toBeGreaterThanOrEqual(1 + blobsOf(alone.manifest, "shard").length);
  });

  it("of another region are parts of its own, whose store they may read on from", async () => {
    const { counts, ports } = await countingPorts();
    const parts = new SharedParts();
    await openIndex(ports, TINY, { parts });
    const own = counts.memories;
    await openIndex({ ...ports, region: "elsewhere" }, TINY, { parts });
    expect(counts.memories).toBe(2 * own);
  });

  it("are asked for again where loading them failed", async () => {
    const parts = new SharedParts();
    const [blob] = blobsOf((await openIndex(await tinyPorts(store), TINY)).manifest, "table");
    const load = (answer: Promise<object>) => parts.get("here", blob!, () => answer);
    await expect(load(Promise.reject(new Error("Down.")))).rejects.toThrow("Down.");
    const part = {};
    expect(await load(Promise.resolve(part))).toBe(part);
    expect(await load(Promise.resolve({}))).toBe(part);
  });
});
