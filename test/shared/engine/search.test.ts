import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CachedEncoder } from "../../../indexer/encode/cache.ts";
import { nodePorts } from "../../../indexer/engine-node.ts";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { openIndex } from "../../../shared/engine/open.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FUSION_RULES, MODES, type SearchRequest } from "../../../shared/types.ts";
import { build, firstPassages, QUERIES, realEncoder } from "../../helpers/real-index.ts";

const PASSAGES = 260;
const request = (q: string, rest: Partial<SearchRequest> = {}): SearchRequest => ({
  q,
  mode: "hybrid",
  limit: 10,
  offset: 0,
  explain: false,
  ...rest,
});

let encoder: CachedEncoder;
const store = new MemoryStore();
let index: OpenIndex;

beforeAll(async () => {
  encoder = await realEncoder();
  await build(encoder, store, firstPassages(PASSAGES));
  index = await openIndex(await nodePorts(store), "test");
}, 120_000);
afterAll(() => encoder.close());

describe("one answer everywhere", () => {
  const answers = async (opened: OpenIndex) => {
    const hits = [];
    for (const q of QUERIES) {
      for (const mode of MODES) {
        for (const fusion of FUSION_RULES) {
          const answer = await opened.search(request(q, { mode, fusion, limit: 40, explain: true }));
          hits.push({ total: answer.total, hits: answer.hits });
        }
      }
    }
    return hits;
  };

  it("does not depend on the number of shards, to the bit", async () => {
    const whole = await answers(index);
    for (const shardChunks of [150, 18]) {
      const divided = new MemoryStore();
      await build(encoder, divided, firstPassages(PASSAGES), shardChunks);
      const opened = await openIndex(await nodePorts(divided), "test");
      expect(opened.manifest.blobs.filter(({ role }) => role === "shard").length).toBeGreaterThan(1);
      expect(await answers(opened)).toEqual(whole);
    }
  });

  it("does not depend on which kernels run, to the bit", async () => {
    const ports = { ...(await nodePorts(store)), kernels: createReferenceKernels };
    expect(await answers(await openIndex(ports, "test"))).toEqual(await answers(index));
  });
});

describe("pages", () => {
  it("continue each other without a repeat or a gap, past the near candidates too", async () => {
    for (const mode of MODES) {
      const paged: string[] = [];
      const { total } = await index.search(request(QUERIES[0], { mode }));
      for (let offset = 0; offset < PASSAGES; offset += 50) {
        const { hits } = await index.search(request(QUERIES[0], { mode, offset, limit: 50 }));
        paged.push(...hits.map(({ id }) => id));
      }
      expect(new Set(paged).size).toBe(paged.length);
      expect(paged.length).toBe(total);
      const first = await index.search(request(QUERIES[0], { mode, limit: 100 }));
      expect(first.hits.map(({ id }) => id)).toEqual(paged.slice(0, 100));
    }
  });
});

describe("a hit", () => {
  it("is explained by shares that add up to its scores", async () => {
    for (const q of QUERIES) {
      for (const hit of (await index.search(request(q, { explain: true }))).hits) {
        const words = hit.explain!.words;
        expect(words.reduce((sum, { dense }) => sum + dense, 0)).toBeCloseTo(hit.dense, 9);
        expect(words.reduce((sum, { sparse }) => sum + sparse, 0)).toBeCloseTo(hit.sparse, 6);
        for (const { word, start, end } of words) expect(q.slice(start, end)).toBe(word);
      }
    }
  });

  it("shows an exact slice of its text with marks inside it", async () => {
    for (const q of QUERIES) {
      for (const { snippet, fields, passage } of (await index.search(request(q))).hits) {
        expect(String(fields.text).slice(passage.start, passage.end)).toContain(snippet.text);
        expect(snippet.text.length).toBeLessThanOrEqual(240);
        let end = 0;
        for (const [from, to] of snippet.marks) {
          expect(from).toBeGreaterThanOrEqual(end);
          expect(to).toBeLessThanOrEqual(snippet.text.length);
          end = to;
        }
      }
    }
  });

  it("carries only the fields that were asked for", async () => {
    const [hit] = (await index.search(request(QUERIES[0], { fields: ["title", "nothing"] }))).hits;
    expect(Object.keys(hit!.fields)).toEqual(["title"]);
  });

  it("comes first for the question that its passage answers", async () => {
    const [hit] = (await index.search(request(QUERIES[0]))).hits;
    expect(hit!.id).toBe("d0");
  });
});

describe("odd requests", () => {
  it("refuses an unknown task by name", async () => {
    await expect(index.search(request("a", { task: "nope" }))).rejects.toMatchObject({
      code: "request/invalid",
      details: { field: "task" },
    });
  });

  it("says so when a query has more tokens than count", async () => {
    const answer = await index.search(request("river ".repeat(600)));
    expect(answer.warnings?.[0]).toContain("512");
    expect(answer.hits.length).toBe(10);
  });

  it("gives a document by id, and null for one that is not there", async () => {
    expect((await index.document("d1"))?.id).toBe("d1");
    expect(await index.document("d")).toBeNull();
    expect(await index.document("zzz")).toBeNull();
  });
});
