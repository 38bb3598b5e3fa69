import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EMBEDDED_MODEL } from "../../../indexer/commands/options.ts";
import { batchDifference } from "../../../indexer/encode/batch-check.ts";
import type { Encoder, Encoding, Wanted } from "../../../indexer/encode/encoder.ts";
import { createOnnxEncoder } from "../../../indexer/encode/onnx.ts";
import { loadModel, type Model } from "../../../indexer/model/model.ts";
import { roundToHalf } from "../../../shared/math/float16.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import {
  cosine,
  impactDifference,
  lengthOf,
  type ReferenceCase,
  readReference,
} from "../../helpers/reference-encodings.ts";

const WANTED: Wanted = { role: "document", task: "search", dense: true, sparse: true };
const CASES = readReference("minilm-splade") as readonly ReferenceCase[];
const TEXTS = CASES.map(({ text }) => text);

let model: Model;
let encoder: Encoder;
let together: readonly Encoding[];

beforeAll(async () => {
  model = await loadModel(EMBEDDED_MODEL);
  encoder = await createOnnxEncoder(model, { device: "cpu", threads: 2 });
  together = await encoder.encode(TEXTS, WANTED);
});
afterAll(() => encoder.close());

describe("the embedded model", () => {
  it("is given the ids that the reference is given, a long text cut to what the model takes", () => {
    const tokenizer = loadTokenizer(model.tokenizer);
    const { bos, eos } = model.special;
    for (const { text, ids } of CASES) {
      const own = tokenizer.ids(text, model.maxTextTokens("search", "document"));
      expect([bos, ...model.promptTokens("search", "document"), ...own, eos]).toEqual(ids);
    }
    expect(Math.max(...CASES.map(({ ids }) => ids.length))).toBe(model.description.max_tokens);
  });

  it("gives the reference's vectors, of length 1", () => {
    expect(CASES.length).toBe(8);
    CASES.forEach(({ text, vector }, at) => {
      const { dense } = together[at]!;
      expect(cosine(dense!, vector), text).toBeGreaterThan(0.99999);
      expect(Math.abs(lengthOf(dense!) - 1), text).toBeLessThan(1e-4);
    });
  });

  it("gives the reference's impacts, of words alone and never of special tokens", () => {
    CASES.forEach((wanted, at) => {
      expect(impactDifference(together[at]!, wanted), wanted.text).toBeLessThan(1e-4);
      const { ids, values } = together[at]!.sparse!;
      expect(ids.length).toBeLessThanOrEqual(model.description.sparse!.top_k);
      expect([...ids].filter((id) => Object.values(model.special).includes(id))).toEqual([]);
      expect([...values].every((value) => value > 0)).toBe(true);
      expect([...ids]).toEqual([...ids].sort((a, b) => a - b));
    });
  });

  it("gives a text without words a vector and no impacts", () => {
    const { dense, sparse } = together[TEXTS.indexOf("")]!;
    expect(lengthOf(dense!)).toBeGreaterThan(0.99);
    expect(sparse!.ids.length).toBe(0);
  });
});

describe("an encoding", () => {
  it("is the same to the bit alone, in a mixed batch and among texts of its own length", async () => {
    const alone: Encoding[] = [];
    for (const text of TEXTS) alone.push(...(await encoder.encode([text], WANTED)));
    expect(together).toEqual(alone);
    for (const [at, text] of TEXTS.entries()) {
      const [first, ...others] = await encoder.encode([text, text, text], WANTED);
      expect(first).toEqual(alone[at]);
      for (const other of others) expect(other).toEqual(first);
    }
    expect(await batchDifference(encoder)).toBe(0);
  });

  it("comes back in its text's place, whatever order batches are run in", async () => {
    const reversed = await encoder.encode([...TEXTS].reverse(), WANTED);
    expect([...reversed].reverse()).toEqual(together);
  });

  it("is made of exact halves, so that a cached one equals it", () => {
    for (const { dense, sparse } of together)
      for (const value of [...dense!, ...sparse!.values]) expect(roundToHalf(value)).toBe(value);
  });

  it("has the sides that were asked for, the same as with both", async () => {
    const dense = await encoder.encode(TEXTS, { ...WANTED, sparse: false });
    expect(dense).toEqual(together.map((encoding) => ({ dense: encoding.dense, sparse: null })));
    const sparse = await encoder.encode(TEXTS, { ...WANTED, dense: false });
    expect(sparse).toEqual(together.map((encoding) => ({ dense: null, sparse: encoding.sparse })));
  });

  it("is counted once as it is done", async () => {
    let done = 0;
    await encoder.encode([...TEXTS, ...TEXTS], WANTED, (count) => {
      done += count;
    });
    expect(done).toBe(2 * TEXTS.length);
    expect(await encoder.encode([], WANTED)).toEqual([]);
  });
});
