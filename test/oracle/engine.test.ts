/** The engine against its dumb twin, and against itself divided, paged and on other kernels. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import type { MemoryStore } from "../../shared/store/memory.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { FUSION_RULES, MODES, type SearchRequest } from "../../shared/types.ts";
import { buildTiny, openTiny, requestFor } from "../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER, TOPICS } from "../helpers/tiny-encoder.ts";
import { bruteForce } from "./brute-force.ts";

/** More than both near pools together can hold, so that some documents are far for every query. */
const DOCUMENTS = 640;
/** Chunks of a shard that make these numbers of shards; without a bound there is one. */
const DIVISIONS = [
  [2, 700],
  [5, 280],
  [16, 86],
] as const;

const source = sourceOf(tinyDocuments(DOCUMENTS));
const tokenizer = loadTokenizer(TINY_TOKENIZER);
let store: MemoryStore;
let index: OpenIndex;
let divided: readonly OpenIndex[];

async function build(shardChunks?: number): Promise<MemoryStore> {
  return (await buildTiny({ source, ...(shardChunks === undefined ? {} : { shardChunks }) })).store;
}

beforeAll(async () => {
  store = await build();
  index = await openTiny(store, "wasm");
  expect(blobsOf(index.manifest, "shard").length).toBe(1);
  const others = [];
  for (const [shards, chunks] of DIVISIONS) {
    const opened = await openTiny(await build(chunks), "wasm");
    expect(blobsOf(opened.manifest, "shard").length).toBe(shards);
    others.push(opened);
  }
  divided = others;
});

/** Queries of words that documents have, that none has, and of no words at all. */
const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TOPICS.flat()) },
  { weight: 2, arbitrary: fc.constantFrom("the", "of", "and", "song", "twins") },
  { weight: 1, arbitrary: fc.constantFrom("xyzzy", "北京", "☃", "rivers", "?!", "🌊", "café", "[PAD]") },
);
const query = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(" "));
const anyRequest: fc.Arbitrary<SearchRequest> = fc.record({
  q: query,
  mode: fc.constantFrom(...MODES),
  fusion: fc.constantFrom(...FUSION_RULES),
  weight: fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  offset: fc.oneof(fc.constant(0), fc.constantFrom(100, 150, 199, 200), fc.integer({ min: 0, max: 600 })),
  limit: fc.constantFrom(1, 10, 50, 100),
  explain: fc.constant(false),
});

/** All of an answer but the name of its version, which carries the digest of other blobs. */
async function answer(opened: OpenIndex, request: SearchRequest) {
  const { hits, total, warnings } = await opened.search(request);
  return { hits, total, warnings };
}

describe("the engine", () => {
  it("gives the documents, the order and the numbers that plain loops give", async () => {
    const plain = await bruteForce(store, index.manifest);
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        const ids = tokenizer.ids(request.q);
        const { fusion, weight } = request;
        const wanted = plain(ids, { ...request, fusion: fusion!, weight: weight! });
        const { hits } = await index.search({ ...request, typos: false });
        expect(hits.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
        hits.forEach((hit, at) => {
          const { dense, sparse, score, start, end } = wanted[at]!;
          // To the bit: `toBe` compares by Object.is, so -0 and 0 are made alike first.
          expect(hit.dense + 0).toBe(dense + 0);
          expect(hit.sparse).toBe(sparse);
          expect(Math.abs(hit.score - score)).toBeLessThanOrEqual(1e-12);
          expect(hit.passage).toMatchObject({ start, end });
        });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("gives the same bits from 1, 2, 5 and 16 shards", async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        const explained = { ...request, explain: true };
        const whole = await answer(index, explained);
        for (const opened of divided) expect(await answer(opened, explained)).toEqual(whole);
      }),
      { numRuns: 80, seed: 2 },
    );
  });

  it("gives the same bits from the scalar kernels", async () => {
    const scalar = await openTiny(store, "reference");
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        const explained = { ...request, explain: true };
        expect(await answer(scalar, explained)).toEqual(await answer(index, explained));
      }),
      { numRuns: 25, seed: 3 },
    );
  });

  it("answers the same when asked again, whatever was asked between", async () => {
    const requests = fc.sample(anyRequest, { numRuns: 12, seed: 4 });
    const first = [];
    for (const request of requests) first.push(await answer(index, request));
    for (const [at, request] of [...requests.entries()].reverse())
      expect(await answer(index, request)).toEqual(first[at]);
  });
});

describe("pages", () => {
  it("are stretches of one list, without a repeat or a gap where the far candidates begin", async () => {
    for (const mode of MODES) {
      for (const fusion of FUSION_RULES) {
        const request = requestFor("the river and the song of a king", { mode, fusion });
        const paged: string[] = [];
        let total = 0;
        for (let offset = 0; offset === 0 || offset < total; offset += 90) {
          const page = await index.search({ ...request, offset, limit: 90 });
          paged.push(...page.hits.map(({ id }) => id));
          total = page.total;
        }
        expect(new Set(paged).size).toBe(paged.length);
        expect(paged.length).toBe(total);
        for (const offset of [0, 100, 101, 180, 200, 433]) {
          const { hits } = await index.search({ ...request, offset, limit: 100 });
          expect(hits.map(({ id }) => id)).toEqual(paged.slice(offset, offset + 100));
        }
      }
    }
  });

  it("keep the order of the scores within one side, however deep", async () => {
    const request = requestFor("the river and the song of a king", { mode: "sparse", limit: 100 });
    const scores: number[] = [];
    for (let offset = 0; offset < DOCUMENTS; offset += 100)
      scores.push(...(await index.search({ ...request, offset })).hits.map(({ score }) => score));
    expect(scores.length).toBeGreaterThan(400);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it("show the same scores on every page", async () => {
    const request = requestFor("comet orbit", { limit: 100 });
    const near = (await index.search({ ...request, offset: 100 })).hits;
    const deep = (await index.search({ ...request, offset: 101 })).hits;
    expect(deep.slice(0, 99)).toEqual(near.slice(1));
  });
});

describe("what matches nothing", () => {
  it("gives an empty answer with a total of 0 where no token has a row or a posting", async () => {
    for (const mode of MODES)
      expect(await answer(index, requestFor("[PAD]", { mode }))).toMatchObject({ hits: [], total: 0 });
  });

  it("gives nothing past the end of the list", async () => {
    const { hits, total } = await answer(index, requestFor("comet", { offset: 990 }));
    expect(hits).toEqual([]);
    expect(total).toBe(DOCUMENTS);
  });
});
