import { describe, expect, it } from "vitest";
import { SILENT } from "../../../indexer/progress.ts";
import { collect } from "../../../indexer/stages/collect.ts";
import type { Corpus } from "../../../indexer/stages/encode-corpus.ts";
import { cutQuestions } from "../../../indexer/stages/held-out.ts";
import { FITTED_WEIGHT } from "../../../indexer/stages/query-rules.ts";
import { buildTiny } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const TEXT =
  "The river carries silt to the delta. Engineers measure how much of it the water holds. A dam keeps most of it back.";

/** Documents with one chunk each, as far as cutting looks at them. */
async function corpusOf(documents: readonly { id: string; fields: Record<string, string> }[]) {
  const source = sourceOf(documents.map((document) => ({ ...document, sections: [] })));
  const collection = await collect(source, SILENT);
  const corpus = {
    documents: documents.map(({ fields }) => ({ passages: [{ start: 0, end: fields.text!.length }] })),
  } as unknown as Corpus;
  return { collection, corpus, numbers: documents.map((_, at) => at) };
}

describe("questions cut out of documents", () => {
  it("are in the document and their sentence is missing from the rest", async () => {
    const documents = Array.from({ length: 40 }, (_, at) => ({
      id: `d${at + 10}`,
      fields: { title: "", text: TEXT },
    }));
    const { collection, corpus, numbers } = await corpusOf(documents);
    const questions = await cutQuestions(collection, corpus, numbers, 30, 1);
    expect(questions).toHaveLength(30);
    expect(new Set(questions.map(({ document }) => document)).size).toBe(30);
    for (const { question, rest } of questions) {
      expect(TEXT).toContain(question);
      expect(rest).not.toContain(question);
      expect(TEXT.split(/(?<=\.) /u).filter((sentence) => rest.includes(sentence))).toHaveLength(2);
    }
    await collection.close();
  });

  it("are the title, which is then missing, or leave it in its place", async () => {
    const documents = Array.from({ length: 40 }, (_, at) => ({
      id: `d${at + 10}`,
      fields: { title: "Sediment budgets", text: TEXT },
    }));
    const { collection, corpus, numbers } = await corpusOf(documents);
    const questions = await cutQuestions(collection, corpus, numbers, 40, 2);
    const titles = questions.filter(({ question }) => question === "Sediment budgets");
    expect(titles.length).toBeGreaterThan(8);
    expect(titles.length).toBeLessThan(32);
    for (const { question, rest } of questions)
      expect(rest.startsWith("Sediment budgets")).toBe(question !== "Sediment budgets");
    await collection.close();
  });

  it("come from no text that would have nothing left", async () => {
    const documents = ["", "One sentence alone gives no question.", "Too short. Far too short."].map(
      (text, at) => ({
        id: `d${at}`,
        fields: { title: "", text },
      }),
    );
    const { collection, corpus, numbers } = await corpusOf(documents);
    expect(await cutQuestions(collection, corpus, numbers, 10, 3)).toEqual([]);
    await collection.close();
  });
});

describe("the fusion weight of an index", () => {
  it("is chosen, and the same for the same collection", async () => {
    const source = () => sourceOf(tinyDocuments(150));
    const weights = [];
    for (let run = 0; run < 2; run++) {
      const { manifest } = await buildTiny({ source: source(), weight: undefined });
      weights.push(manifest.fusion.weight);
    }
    expect(weights[0]).toBe(weights[1]);
    expect(weights[0]).toBeGreaterThanOrEqual(0);
    expect(weights[0]).toBeLessThanOrEqual(1);
  });

  it("is the fallback where there is too little to cut", async () => {
    const { manifest } = await buildTiny({ source: sourceOf(tinyDocuments(12)), weight: undefined });
    expect(manifest.fusion.weight).toBe(FITTED_WEIGHT);
  });

  it("is what was asked for where somebody knows better", async () => {
    const { manifest } = await buildTiny({ weight: 0.85 });
    expect(manifest.fusion.weight).toBe(0.85);
  });
});
