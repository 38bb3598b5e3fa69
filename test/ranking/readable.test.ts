/** Rankings that a person can judge, by the model that ships with the project. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_DEFAULTS, buildIndex } from "../../indexer/build.ts";
import { type CachedEncoder, cachedEncoder } from "../../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { loadModel } from "../../indexer/model/model.ts";
import { SILENT } from "../../indexer/progress.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { openTiny, requestFor, TINY } from "../helpers/tiny-build.ts";
import { documentOf, sourceOf } from "../helpers/tiny-corpus.ts";

const DOCUMENTS = Object.entries({
  physician: "The physician examined the child and prescribed a medicine against the infection.",
  brakes: "Worn pads make a car take longer to stop. Replace the discs of both front wheels together.",
  mortgage: "A fixed rate keeps the monthly payment for a house loan the same for ten years.",
  sourdough: "Feed the starter with flour and water every day, and the dough will rise without yeast.",
  eclipse: "The moon covers the sun completely for a few minutes, and stars appear at noon.",
  volcano: "Molten rock and ash burst out of the mountain and buried the town below.",
  laptop:
    "Hold the power button for ten seconds if the notebook does not start. Error code QX-7731 means a flat cell.",
  visa: "Travellers need a valid passport and an entry permit to stay in the country for three months.",
  penguin: "Emperor penguins keep their eggs warm on their feet through the polar winter.",
  chess: "The bishop moves along diagonals. A king may castle once if neither piece has moved.",
  jacket: "This waterproof coat has taped seams and keeps hikers dry in heavy rain.",
  refund: "Send the goods back within thirty days, and you get your money back on the same card.",
}).map(([id, text]) => documentOf(id, { text }));

/** A query, the document that a person would want first, and why. */
const WANTED = [
  ["doctor for a sick kid", "physician", "by meaning alone: no word of the query is in the document"],
  ["returned purchase", "refund", "by meaning: a purchase that is returned is goods sent back"],
  ["QX-7731", "laptop", "by the word alone: no model knows what this code means"],
  ["eruption", "volcano", "by meaning: one word that the document describes and does not say"],
  ["bread without yeast", "sourdough", "by both: yeast is said, bread is meant"],
  ["antarctic bird", "penguin", "by meaning: the penguin is a bird of the polar winter"],
  ["home loan interest", "mortgage", "by both: a loan for a house is a home loan"],
  ["raincoat", "jacket", "by meaning: a waterproof coat for heavy rain"],
] as const;

let folder: string;
let encoder: CachedEncoder;
let index: OpenIndex;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "readable-"));
  const model = await loadModel(fileURLToPath(new URL("../../models/minilm-splade", import.meta.url)));
  encoder = cachedEncoder(await createOnnxEncoder(model, { device: "cpu" }), folder);
  const store = new MemoryStore();
  const options = { index: TINY, source: sourceOf(DOCUMENTS), encoder, store, tasks: [], ...BUILD_DEFAULTS };
  await buildIndex({ ...options, now: () => new Date(0) }, SILENT);
  index = await openTiny(store, "wasm");
});
afterAll(async () => {
  await encoder?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the first document", () => {
  it.each(WANTED)("for %j is %j: %s", async (q, wanted) => {
    const { hits } = await index.search(requestFor(q));
    expect(hits[0]!.id).toBe(wanted);
  });

  it("by the embedding is the one that means the same in other words", async () => {
    const { hits } = await index.search(requestFor("doctor for a sick kid", { mode: "dense" }));
    expect(hits[0]!.id).toBe("physician");
  });

  it("by the postings is the one with the rare word, which is marked", async () => {
    const { hits } = await index.search(requestFor("the code QX-7731", { mode: "sparse" }));
    const { id, snippet } = hits[0]!;
    expect(id).toBe("laptop");
    const marked = snippet.marks.map(([start, end]) => snippet.text.slice(start, end));
    expect(marked).toEqual(expect.arrayContaining(["QX", "7731"]));
    expect(marked).not.toContain("the");
  });
});
