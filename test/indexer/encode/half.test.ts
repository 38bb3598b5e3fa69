/** A graph that gives halves is encoded as one that gives the same numbers in single precision. */
import { expect, it } from "vitest";
import type { Wanted } from "../../../indexer/encode/encoder.ts";
import { WITH_IMPACTS, withSmallEncoder } from "../../helpers/small-graphs.ts";

const special_tokens = { bos: null, eos: "[UNK]", pad: "[PAD]" };
const TEXTS = ["river", "sea river moon", "find the endless sea", "", "moon moon moon"];
const WANTED: Wanted = { role: "document", task: "search", dense: true, sparse: true };

it.each(["eos", "cls", "mean"])("halves are taken, pooled by %s", async (pooling) => {
  const changes = { ...WITH_IMPACTS, pooling, cut: 8, special_tokens };
  const single = await withSmallEncoder("good", changes, (encoder) => encoder.encode(TEXTS, WANTED));
  const half = await withSmallEncoder("half", changes, (encoder) => encoder.encode(TEXTS, WANTED));
  half.forEach(({ dense, sparse }, at) => {
    expect(dense!.length).toBe(8);
    dense!.forEach((value, j) => {
      expect(Math.abs(value - single[at]!.dense![j]!)).toBeLessThan(1e-3);
    });
    // Impacts are rounded to halves in any case.
    expect(sparse).toEqual(single[at]!.sparse);
  });
});
