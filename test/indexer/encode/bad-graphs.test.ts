/** Graphs that are not what their description says are refused before anything is run, by file, name, value and limit. */
import { describe, expect, it } from "vitest";
import { checkBatchInvariance } from "../../../indexer/encode/batch-check.ts";
import { WITH_IMPACTS, withSmallEncoder } from "../../helpers/small-graphs.ts";

const opened = async () => "opened";

describe("a graph that is right", () => {
  it("is opened, with both sides, and does not change with the batch", async () => {
    await withSmallEncoder("good", WITH_IMPACTS, async (encoder) => {
      expect(await checkBatchInvariance(encoder, false)).toBeNull();
      const [found] = await encoder.encode(["river moon"], {
        role: "document",
        task: "search",
        dense: true,
        sparse: true,
      });
      expect(found!.dense!.length).toBe(16);
      expect(found!.sparse!.ids.length).toBeGreaterThan(0);
    });
  });

  it("may leave sizes open that turn out right", async () => {
    expect(await withSmallEncoder("open", { dimension: 14 }, opened)).toBe("opened");
  });
});

describe("a graph is refused", () => {
  const output = { graphs: [{ file: "good.onnx", dense: "hidden_states", sparse: null }] };
  it.each([
    [
      "good",
      output,
      'The graph good.onnx has no output "hidden_states", which graphs.dense names; it has hidden, impacts.',
    ],
    [
      "good",
      { sparse: WITH_IMPACTS.sparse, outputs: "logits" },
      'The graph good.onnx has no output "logits", which graphs.sparse names; it has hidden, impacts.',
    ],
    [
      "good",
      { dimension: 24 },
      'The graph good.onnx has the dense output "hidden" of shape [batch, sequence, 16]; [batch, sequence, 24] is needed, as model.json says.',
    ],
    [
      "good",
      { ...WITH_IMPACTS, vocabulary: 9 },
      'The graph good.onnx has the sparse output "impacts" of shape [batch, 8]; [batch, 9] is needed, as model.json says.',
    ],
    [
      "pooled",
      {},
      'The graph pooled.onnx has the dense output "hidden" of shape [batch, 16]; [batch, sequence, 16] is needed.',
    ],
    [
      "double",
      {},
      'The graph double.onnx has the dense output "hidden" of float64; float32 or float16 is needed.',
    ],
    [
      "fixed",
      {},
      'The graph fixed.onnx has the input "input_ids" of shape [1, 6]: batch is fixed to 1. Export it with a dynamic batch axis.',
    ],
    ["int32", {}, 'The graph int32.onnx has the input "input_ids" of int32; int64 is needed.'],
    [
      "past",
      {},
      'The graph past.onnx wants an input "past_key_values"; Lightedge can give input_ids, attention_mask, token_type_ids, position_ids, pooling_mask.',
    ],
    [
      "open",
      {},
      'The graph open.onnx gave its dense output "hidden" as float32 of shape [1, 4, 14]; float32 or float16 of shape [1, 4, 16] was needed.',
    ],
  ] as const)("%s with %j", async (graph, changes, message) => {
    await expect(withSmallEncoder(graph, changes, opened)).rejects.toMatchObject({
      code: "model/invalid",
      message,
      details: { field: "graphs", file: `${graph}.onnx` },
    });
  });

  it("where it gives a number that is not finite for any token that the tokenizer has", async () => {
    await expect(withSmallEncoder("nan", {}, opened)).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringMatching(/dense output gave a text a vector that is not finite/u),
      details: { field: "dense" },
    });
    await expect(withSmallEncoder("infinite", WITH_IMPACTS, opened)).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringMatching(/sparse output gave a text an impact that is not finite/u),
      details: { field: "sparse" },
    });
  });

  it("where its tokenizer has tokens that it does not know", async () => {
    await expect(withSmallEncoder("six", {}, opened)).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringMatching(
        /^The model small does not take token 7, the last of its tokenizer: .+\.$/u,
      ),
      details: { field: "tokenizer", limit: 7 },
    });
  });

  it("where a text of max_tokens has more positions than it", async () => {
    expect(await withSmallEncoder("positions", { max_tokens: 12 }, opened)).toBe("opened");
    await expect(withSmallEncoder("positions", { max_tokens: 13 }, opened)).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringMatching(
        /does not take a text of 13 tokens, which max_tokens in model\.json allows/u,
      ),
      details: { field: "max_tokens", limit: 13 },
    });
  });

  it("where a text of max_tokens does not fit the memory of the device", async () => {
    await expect(withSmallEncoder("hungry", { max_tokens: 41 }, opened)).rejects.toMatchObject({
      code: "device/unavailable",
      details: { field: "max_tokens", limit: 41 },
    });
  });

  it("where its vectors change with what else is in the batch", async () => {
    await withSmallEncoder("batch", {}, async (encoder) => {
      await expect(checkBatchInvariance(encoder, false)).rejects.toMatchObject({
        code: "model/batch-dependent",
      });
    });
  });
});
