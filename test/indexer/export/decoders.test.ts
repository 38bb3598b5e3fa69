/** Exported decoders through the product's own encoder, against values that PyTorch computed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchDifference } from "../../../indexer/encode/batch-check.ts";
import type { Encoder } from "../../../indexer/encode/encoder.ts";
import { createOnnxEncoder } from "../../../indexer/encode/onnx.ts";
import { loadModel, type Model } from "../../../indexer/model/model.ts";
import { type Candidate, rank } from "../../../shared/engine/fuse.ts";
import { packIds } from "../../../shared/format/ids.ts";
import { roundToHalf } from "../../../shared/math/float16.ts";
import { quantizeImpacts } from "../../../shared/segment/segment.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import {
  DECODERS,
  decoderDifferences,
  decoderFolder,
  decoderValues,
  openDecoder,
} from "../../helpers/decoders.ts";

/** The greatest difference of a value of a unit vector from PyTorch's, before halves. */
const GRAPH = 1e-5;
/** Impacts are not of length 1: sums of 32 products of about 1, then a logarithm. */
const IMPACT = 1e-4;

describe.each(DECODERS)("an exported %s", (name) => {
  const folder = decoderFolder(name);
  const values = decoderValues(folder);
  let model: Model;
  let encoder: Encoder;

  beforeAll(async () => {
    model = await loadModel(folder);
    encoder = await createOnnxEncoder(model, { device: "cpu", threads: 2 });
  });
  afterAll(async () => {
    await encoder.close();
  });

  it("is within the size that a repository should carry", () => {
    const bytes = ["model.onnx", "tokenizer.json", "values.json"].map(
      (file) => readFileSync(join(folder, file)).length,
    );
    expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(600_000);
  });

  it("is given the reference's ids: lower-cased, cut to fit, one begin and one end token", () => {
    const tokenizer = loadTokenizer(model.tokenizer);
    const { bos, eos } = model.special;
    for (const { text, ids } of values.documents) {
      const own = tokenizer.ids(text, model.maxTextTokens("search", "document"));
      expect([bos, ...own, eos], JSON.stringify(text.slice(0, 80))).toEqual(ids);
    }
    for (const { text, ids } of values.queries) expect(tokenizer.ids(text), text).toEqual(ids);
    for (const [task, ids] of Object.entries(values.prompts))
      expect(model.promptTokens(task, "query")).toEqual(ids);
  });

  it("gives PyTorch's unit vectors, impacts, rows of the query table and sums of them, before halves", async () => {
    const found = await decoderDifferences(model, values);
    expect(found.vector).toBeLessThan(GRAPH);
    expect(found.impact).toBeLessThan(IMPACT);
    expect(found.row).toBeLessThan(GRAPH);
    // Rows keep their length: it is a token's weight in the sum.
    expect(found.rowLength).toBeLessThan(GRAPH);
    expect(found.query).toBeLessThan(GRAPH);
  });

  it("gives PyTorch's vectors and impacts, rounded to halves, from the encoder", async () => {
    const texts = values.documents.map(({ text }) => text);
    const wanted = { role: "document", task: "search", dense: true, sparse: true } as const;
    const encodings = await encoder.encode(texts, wanted);
    encodings.forEach(({ dense, sparse }, at) => {
      const { vector, impacts, text } = values.documents[at]!;
      dense!.forEach((value, j) => {
        // A half's step is 2^-11 of it: where the values lie on both sides of a middle, they may be a step apart.
        const allowed = GRAPH + Math.abs(vector[j]!) * 2 ** -10;
        expect(Math.abs(value - roundToHalf(vector[j]!)), text).toBeLessThanOrEqual(allowed);
      });
      const found = new Map(Array.from(sparse!.ids, (id, place) => [id, sparse!.values[place]!]));
      const least = Math.min(...impacts.map(([, value]) => value));
      for (const [id, value] of impacts) {
        // At the end of a full list two of almost one value may change places.
        if (!found.has(id)) expect(value).toBeLessThan(least + IMPACT);
        else expect(Math.abs(found.get(id)! - value), text).toBeLessThanOrEqual(IMPACT + value * 2 ** -11);
      }
      expect(sparse!.ids.length, text).toBe(impacts.length);
    });
  });

  it("keeps nothing of a text without positions between begin and end", async () => {
    const [empty] = await encoder.encode([""], {
      role: "document",
      task: "search",
      dense: true,
      sparse: true,
    });
    expect(empty!.sparse!.ids.length).toBe(0);
    expect(values.documents.find(({ text }) => text === "")!.impacts).toEqual([]);
  });

  it("has impacts whose 8 bits are PyTorch's, at the reference's scale", () => {
    for (const { impacts, codes } of values.documents) {
      const list = {
        ids: Uint32Array.from(impacts, ([id]) => id),
        values: Float32Array.from(impacts, ([, value]) => value),
      };
      const stored = quantizeImpacts(list, values.scale);
      expect([...stored.ids]).toEqual(impacts.map(([id]) => id));
      expect([...stored.values]).toEqual(codes);
    }
  });

  it("does not depend on the batch, and costs no pass over the vocabulary without pooled positions", async () => {
    expect(await batchDifference(encoder)).toBeLessThan(1e-3);
    const decoder = await openDecoder(model);
    const { impacts } = await decoder.run(values.documents[0]!.ids.slice(0, 2));
    await decoder.close();
    expect(impacts.length).toBe(model.description.vocabulary);
    expect(impacts.every((value) => value === 0)).toBe(true);
  });

  it("has scores that the engine fuses as the reference does", () => {
    const { dense, sparse, minmax, rrf } = values.fused;
    const ids = packIds(dense.map((_, at) => `document ${at}`));
    const candidates = dense.map(
      (score, at): Candidate => ({
        shard: 0,
        document: at,
        chunk: 0,
        place: { block: 0, index: at },
        ids,
        at,
        dense: score,
        sparse: sparse[at]!,
        byDense: "near",
        bySparse: "near",
      }),
    );
    const weighted = rank(candidates, { mode: "hybrid", fusion: "minmax", weight: 0.7 }, dense.length);
    for (const { candidate, score } of weighted) expect(score).toBeCloseTo(minmax[candidate.document]!, 6);
    const byRank = rank(candidates, { mode: "hybrid", fusion: "rrf", weight: 0.5 }, dense.length);
    // The engine's is scaled so that two first places make 1, and leaves out what shares no word with the query.
    for (const { candidate, score } of byRank)
      if (sparse[candidate.document]! > 0) expect((score * 2) / 61).toBeCloseTo(rrf[candidate.document]!, 6);
  });
});
