import { describe, expect, it } from "vitest";
import {
  BATCH_TOLERANCE,
  batchDifference,
  checkBatchInvariance,
} from "../../../indexer/encode/batch-check.ts";
import type { Encoder, Encoding, SparseVector } from "../../../indexer/encode/encoder.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";

/** The tiny encoder, whose encodings something happens to in batches of more than one text. */
function changing(change: (encoding: Encoding, at: number) => Encoding, inner = tinyEncoder()): Encoder {
  return {
    ...inner,
    async encode(texts, wanted) {
      const encodings = await inner.encode(texts, wanted);
      return texts.length === 1 ? encodings : encodings.map(change);
    },
  };
}

/** A change of one value of the vector of one text. */
const ofVector = (amount: number) =>
  changing((encoding, at) => ({
    ...encoding,
    dense: encoding.dense!.map((value, j) => (at === 2 && j === 5 ? value + amount : value)),
  }));

const ofImpacts = (change: (sparse: SparseVector) => SparseVector) =>
  changing((encoding, at) => (at === 2 ? { ...encoding, sparse: change(encoding.sparse!) } : encoding));

describe("encodings that are the same in any batch", () => {
  it("differ by nothing and pass without a warning", async () => {
    for (const encoder of [tinyEncoder(), tinyEncoder({ sparse: false })]) {
      expect(await batchDifference(encoder)).toBe(0);
      expect(await checkBatchInvariance(encoder, false)).toBeNull();
    }
  });

  it("may differ by rounding", async () => {
    expect(await checkBatchInvariance(ofVector(BATCH_TOLERANCE / 2), false)).toBeNull();
    const scaled = ofImpacts(({ ids, values }) => ({ ids, values: values.map((value) => value * 1.001) }));
    expect(await checkBatchInvariance(scaled, false)).toBeNull();
  });

  it("may leave out another of the least impacts where more are found than are kept", async () => {
    const inner = tinyEncoder();
    const cut = (sparse: SparseVector, from: number): SparseVector => ({
      ids: sparse.ids.map((id) => id + from),
      values: sparse.values.map(() => 0.5),
    });
    // As many impacts as are kept, all equal, and other ids alone than together.
    const { description } = inner.model;
    const model = { ...inner.model, description: { ...description, sparse: { mask: [], top_k: 1 } } };
    const encoder: Encoder = {
      ...inner,
      model,
      async encode(texts, wanted) {
        const encodings = await inner.encode(texts, wanted);
        return encodings.map((encoding) => ({
          ...encoding,
          sparse: cut(encoding.sparse!, texts.length === 1 ? 0 : 1),
        }));
      },
    };
    expect(await batchDifference(encoder)).toBe(0);
  });
});

describe("encodings that change with the batch", () => {
  const changed = {
    "a value of a vector": ofVector(2 * BATCH_TOLERANCE),
    "a vector that is no number": ofVector(Number.NaN),
    "the size of an impact": ofImpacts(({ ids, values }) => ({
      ids,
      values: values.map((value, at) => (at === 1 ? value + 0.05 : value)),
    })),
    "an impact that is gone": ofImpacts(({ ids, values }) => ({
      ids: ids.slice(1),
      values: values.slice(1),
    })),
    "an impact of another token": ofImpacts(({ ids, values }) => ({ ids: ids.map((id) => id + 1), values })),
  };

  it.each(Object.entries(changed))("are refused: %s", async (_, encoder) => {
    await expect(checkBatchInvariance(encoder, false)).rejects.toMatchObject({
      code: "model/batch-dependent",
      message: expect.stringContaining("--force"),
      details: { field: "model", limit: BATCH_TOLERANCE },
    });
  });

  it.each(Object.entries(changed))("pass with a warning where they are forced: %s", async (_, encoder) => {
    expect(await checkBatchInvariance(encoder, true)).toMatch(/tiny change by up to .*--force/u);
  });
});
