import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import type { WordShare } from "../../../shared/types.ts";
import { FUSION_RULES, MODES } from "../../../shared/types.ts";
import { buildTiny, openTiny, requestFor } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TOPICS } from "../../helpers/tiny-encoder.ts";

let index: OpenIndex;
beforeAll(async () => {
  const { store } = await buildTiny({ source: sourceOf(tinyDocuments(120)), shardChunks: 100 });
  index = await openTiny(store, "wasm");
});

const total = (words: readonly WordShare[], side: "dense" | "sparse") =>
  words.reduce((sum, share) => sum + share[side], 0);

describe("the words of an explanation", () => {
  it("have shares that add up to the hit's scores", async () => {
    const word = fc.constantFrom(...TOPICS.flat(), "the", "rivers", "☃", "xq", "?!", "北京", "River");
    const query = fc.array(word, { minLength: 1, maxLength: 9 }).map((words) => words.join(" "));
    await fc.assert(
      fc.asyncProperty(query, fc.constantFrom(...MODES), async (q, mode) => {
        const { hits } = await index.search(requestFor(q, { mode, explain: true, limit: 20 }));
        for (const hit of hits) {
          const { words } = hit.explain!;
          expect(total(words, "dense")).toBeCloseTo(hit.dense, 9);
          expect(total(words, "sparse")).toBeCloseTo(hit.sparse, 9);
          for (const share of words) expect(q.slice(share.start, share.end)).toBe(share.word);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("give the whole sparse score to the one word that the document has", async () => {
    const q = "harbour xq";
    const { hits } = await index.search(requestFor(q, { mode: "sparse", explain: true, limit: 100 }));
    const hit = hits.find(({ id }) => id === "one-word")!;
    expect(hit.explain!.words.map(({ word }) => word)).toEqual(["harbour", "xq"]);
    expect(hit.explain!.words[0]!.sparse).toBeCloseTo(hit.sparse, 12);
    expect(hit.explain!.words[1]!.sparse).toBe(0);
  });

  it("give a word twice the share where it stands twice", async () => {
    const share = async (q: string) => {
      const { hits } = await index.search(requestFor(q, { mode: "sparse", explain: true, limit: 100 }));
      return total(hits.find(({ id }) => id === "one-word")!.explain!.words, "sparse");
    };
    expect(await share("harbour harbour")).toBeCloseTo(2 * (await share("harbour")), 9);
  });

  it("do not change the ranking", async () => {
    const plain = await index.search(requestFor("river boat", { limit: 50 }));
    const explained = await index.search(requestFor("river boat", { limit: 50, explain: true }));
    expect(explained.hits.map(({ explain: _, ...hit }) => hit)).toEqual(plain.hits);
    expect(plain.hits.every((hit) => !("explain" in hit))).toBe(true);
  });
});

describe("the fusion of an explanation", () => {
  it("is the weighted sum that the hit is ranked by", async () => {
    for (const fusion of FUSION_RULES) {
      const request = requestFor("river boat king", { fusion, weight: 0.3, explain: true, limit: 50 });
      for (const hit of (await index.search(request)).hits) {
        const { rule, weight, dense, sparse } = hit.explain!.fusion;
        expect(rule).toBe(fusion);
        expect(weight).toBe(0.3);
        expect(weight * dense + (1 - weight) * sparse).toBeCloseTo(hit.score, 12);
      }
    }
  });

  it("is none in a ranking by one side, which has the whole weight", async () => {
    for (const [mode, weight] of [
      ["dense", 1],
      ["sparse", 0],
    ] as const) {
      for (const hit of (await index.search(requestFor("river", { mode, explain: true }))).hits) {
        expect(hit.explain!.fusion).toEqual({ rule: "none", weight, dense: hit.dense, sparse: hit.sparse });
        expect(hit.score).toBe(hit[mode]);
      }
    }
  });
});
