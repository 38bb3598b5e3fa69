/** An index with its shards in Durable Objects, in real workerd, against the same index in memory: to the bit. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { openIndex } from "../../../shared/engine/open.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { MIB } from "../../../shared/limits.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FUSION_RULES, MODES, type SearchAnswer, type SearchRequest } from "../../../shared/types.ts";
import { type ShardRuntime, startShardRuntime } from "../../helpers/shard-runtime.ts";
import { buildTiny, requestFor, tinyPorts } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TOPICS } from "../../helpers/tiny-encoder.ts";

/** More than both near pools together can hold, so that some documents are far for every query. */
const DOCUMENTS = 640;
/** Names of indexes with what makes so many shards of them. */
const DIVISIONS = {
  one: {},
  two: { shardChunks: 700 },
  five: { shardChunks: 280 },
  sixteen: { shardChunks: 86 },
  clusters: { shardChunks: 280, clustersFrom: 100 },
} as const;
const SHARDS = { one: 1, two: 2, five: 5, sixteen: 16, clusters: 5 } as const;
type Name = keyof typeof DIVISIONS;
const NAMES = Object.keys(DIVISIONS) as Name[];

const store = new MemoryStore();
const local = new Map<string, OpenIndex>();
let server: ShardRuntime;

beforeAll(async () => {
  for (const name of NAMES) await build(name, tinyDocuments(DOCUMENTS));
  server = await startShardRuntime({ store });
}, 120_000);
afterAll(() => server?.close());

async function build(index: Name, documents: ReturnType<typeof tinyDocuments>): Promise<void> {
  await buildTiny({ index, store, source: sourceOf(documents), ...DIVISIONS[index] });
  local.set(index, await openIndex(await tinyPorts(store, "wasm"), index, { residentBytes: 64 * MIB }));
}

const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TOPICS.flat()) },
  { weight: 2, arbitrary: fc.constantFrom("the", "of", "and", "song", "twins") },
  { weight: 1, arbitrary: fc.constantFrom("xyzzy", "北京", "☃", "rivers", "🌊", "café", "[PAD]") },
);
const anyRequest: fc.Arbitrary<SearchRequest> = fc.record({
  q: fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(" ")),
  mode: fc.constantFrom(...MODES),
  fusion: fc.constantFrom(...FUSION_RULES),
  weight: fc.constantFrom(0, 0.3, 0.5, 1),
  offset: fc.oneof(fc.constant(0), fc.constantFrom(100, 199, 200), fc.integer({ min: 0, max: 600 })),
  limit: fc.constantFrom(1, 10, 100),
  explain: fc.boolean(),
});

/** What a search found, without what tells who answered and when. */
function found({ hits, total, partial, corrections, warnings }: SearchAnswer) {
  return JSON.parse(JSON.stringify({ hits, total, partial, corrections, warnings }));
}

async function expectSame(name: string, request: SearchRequest): Promise<void> {
  const wanted = found(await local.get(name)!.search(request));
  expect(found(await server.search(name, request))).toEqual(wanted);
}

describe("an index in objects", () => {
  it("says so, and how many shards it has", async () => {
    for (const name of NAMES) {
      const { manifest } = local.get(name)!;
      expect(blobsOf(manifest, "shard").length).toBe(SHARDS[name]);
      expect(blobsOf(manifest, "clusters").length).toBe(name === "clusters" ? 1 : 0);
      const answer = await server.search(name, requestFor("river boat"));
      expect(answer).toMatchObject({ placement: "objects", partial: false });
    }
  });

  it("gives the same bits as in memory, for every mode, rule, page and explanation, from 1, 2, 5 and 16 shards, in clusters or not", async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        for (const name of NAMES) await expectSame(name, request);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it("finds documents by id, and none where there is none", async () => {
    for (const id of ["empty", "🌊 wave", "d17", "__proto__", "d612"]) {
      const { status, body } = await server.ask(`/v1/indexes/sixteen/documents/${encodeURIComponent(id)}`);
      expect(status).toBe(200);
      expect(body).toMatchObject(JSON.parse(JSON.stringify(await local.get("sixteen")!.document(id))));
    }
    expect((await server.ask("/v1/indexes/sixteen/documents/nowhere")).status).toBe(404);
  });
});
