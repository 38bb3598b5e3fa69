/** Reading down to the end of the window, where an index holds more than can be paged through. */
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { REQUEST_LIMITS } from "../../shared/limits.ts";
import { FUSION_RULES, MODES } from "../../shared/types.ts";
import { buildTiny, openTiny, requestFor } from "../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";

/** More than the far pool of the embedding holds, so that both sides' pools are cut. */
const DOCUMENTS = 2300;
const PAGE = 50;
/** Words that more documents have than the window is long. */
const QUERY = "the of and river song king in to is was";

let whole: OpenIndex;
let divided: OpenIndex;

beforeAll(async () => {
  const source = sourceOf(tinyDocuments(DOCUMENTS));
  whole = await openTiny((await buildTiny({ source })).store, "wasm");
  divided = await openTiny((await buildTiny({ source, shardChunks: 1200 })).store, "wasm");
  expect(blobsOf(divided.manifest, "shard").length).toBeGreaterThan(3);
});

/** Every page down to the total that answers give. */
async function walk(index: OpenIndex, rest: Parameters<typeof requestFor>[1]) {
  const hits = [];
  let total = 0;
  for (let offset = 0; offset === 0 || offset < total; offset += PAGE) {
    const page = await index.search(requestFor(QUERY, { ...rest, offset, limit: PAGE }));
    hits.push(...page.hits.map(({ id, score, dense, sparse }) => ({ id, score, dense, sparse })));
    total = page.total;
  }
  return { hits, total };
}

describe("the window of an index that holds more", () => {
  it("is the total, and pages fill it with no document twice, in every mode and by every rule", async () => {
    for (const mode of MODES) {
      for (const fusion of FUSION_RULES) {
        const { hits, total } = await walk(whole, { mode, fusion });
        expect(total).toBe(REQUEST_LIMITS.window);
        expect(hits.length).toBe(total);
        expect(new Set(hits.map(({ id }) => id)).size).toBe(total);
      }
    }
  });

  it("is the same to the bit from several shards, beyond every shard's own pool", async () => {
    for (const mode of MODES) {
      for (const fusion of FUSION_RULES)
        expect(await walk(divided, { mode, fusion })).toEqual(await walk(whole, { mode, fusion }));
    }
  });
});
