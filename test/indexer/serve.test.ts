/** A built index behind the Worker in real workerd. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Serving, serve } from "../../indexer/serve.ts";
import type { MemoryStore } from "../../shared/store/memory.ts";
import { FUSION_RULES, MODES, type SearchAnswer } from "../../shared/types.ts";
import { buildTiny, openTiny, requestFor, TINY } from "../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";

const QUERIES = ["the river boat", "comet orbit telescope", "北京 café", "xyzzy", "song song song"];

let store: MemoryStore;
beforeAll(async () => {
  ({ store } = await buildTiny({ source: sourceOf(tinyDocuments(150)), shardChunks: 120 }));
});

async function serving(use: (url: string) => Promise<void>): Promise<void> {
  const options = { host: "127.0.0.1", port: 0, indexes: [TINY], examples: [], pointerMaxAge: 60 };
  const server: Serving = await serve({ store, ...options });
  try {
    await use(server.url);
  } finally {
    await server.close();
  }
}

describe("workerd", () => {
  it("answers as Node does, to the bit", async () => {
    const index = await openTiny(store, "wasm");
    await serving(async (url) => {
      for (const q of QUERIES) {
        for (const mode of MODES) {
          for (const fusion of FUSION_RULES) {
            const asked = new URLSearchParams({ q, mode, explain: "true", limit: "30", offset: "5" });
            if (mode === "hybrid") asked.set("fusion", fusion);
            const response = await fetch(new URL(`v1/indexes/${TINY}/search?${asked}`, url));
            const there = (await response.json()) as SearchAnswer;
            const request = requestFor(q, { mode, fusion, explain: true, limit: 30, offset: 5 });
            const here = await index.search(request);
            expect(there.hits).toEqual(JSON.parse(JSON.stringify(here.hits)));
            expect(there).toMatchObject({ total: here.total, version: here.version, partial: false });
          }
        }
      }
    });
  });
});
