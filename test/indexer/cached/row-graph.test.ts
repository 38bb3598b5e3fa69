/** Rows by real graphs, held against what the encoder makes of the same tokens as texts. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { cachedRows } from "../../../indexer/cached/cached-rows.ts";
import { checkRows } from "../../../indexer/cached/row-check.ts";
import { rowFolder } from "../../../indexer/cached/row-folder.ts";
import { openRowGraph } from "../../../indexer/cached/row-graph.ts";
import { planRows, type RowPlan } from "../../../indexer/cached/row-plan.ts";
import { openGraph } from "../../../indexer/encode/device.ts";
import { loadModel } from "../../../indexer/model/model.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { HAS_TINY_DECODER, NEEDS_TINY_DECODER, TINY_DECODER } from "../../helpers/shared-models.ts";
import { SMALL_WORDS, smallFolder, withSmallEncoder } from "../../helpers/small-graphs.ts";
import { filesIn, newFolder, run } from "./rows.ts";

const root = mkdtempSync(join(tmpdir(), "lightedge-row-graph-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Rows of such a model are not brought to unit length, so the encoder's must not be either to be alike. */
const PLAIN = { query_table: "cached", unit_length: false } as const;
const PROMPTED = { ...PLAIN, tasks: { search: { query_prompt: "find moon", document_prompt: "" } } } as const;

async function planIn(folder: string, passTokens?: number): Promise<RowPlan> {
  const model = await loadModel(folder);
  return planRows(model, loadTokenizer(model.tokenizer), "search", passTokens);
}

/** The whole table of a small graph, made in one go. */
async function smallRows(graph: string, changes: Readonly<Record<string, unknown>>): Promise<Float32Array> {
  const { folder, done } = smallFolder(graph, changes);
  try {
    const plan = await planIn(folder);
    const { cache } = await run(plan, { graph: await openRowGraph(plan, { device: "cpu", threads: 1 }) });
    return await cachedRows(plan, cache, null).read(0, SMALL_WORDS.length);
  } finally {
    done();
  }
}

describe("rows of a graph", () => {
  it.each([
    ["the mean over prompt and token", "good", PROMPTED],
    ["the leading numbers of it", "good", { ...PROMPTED, cut: 8 }],
    ["half-precision states", "half", PROMPTED],
    ["the first position, where the prompt stands", "good", { ...PROMPTED, pooling: "cls" }],
    [
      "the token between begin and end",
      "positions",
      { ...PLAIN, special_tokens: { bos: "find", eos: "sea", pad: "[PAD]" } },
    ],
    [
      "the last position",
      "positions",
      { ...PLAIN, pooling: "eos", special_tokens: { bos: null, eos: "sea", pad: "[PAD]" } },
    ],
  ] as const)("are what the encoder makes of the token as a query: %s", async (_, graph, changes) => {
    const rows = await smallRows(graph, changes);
    const dimension = rows.length / SMALL_WORDS.length;
    const words = ["find", "river", "sea", "nought", "endless", "moon"];
    const wanted = { role: "query", task: "search", dense: true, sparse: false } as const;
    const encodings = await withSmallEncoder(graph, changes, (encoder) => encoder.encode(words, wanted));
    const special: readonly (string | null)[] =
      "special_tokens" in changes ? Object.values(changes.special_tokens) : ["[PAD]"];
    for (const [at, word] of words.entries()) {
      const id = SMALL_WORDS.indexOf(word);
      const row = rows.subarray(id * dimension, (id + 1) * dimension);
      if (special.includes(word)) expect([...row].every((value) => value === 0)).toBe(true);
      else
        row.forEach((value, j) => {
          // Both are halves; a sum in another order may round to the neighbour.
          expect(Math.abs(value - encodings[at]!.dense![j]!), word).toBeLessThanOrEqual(
            Math.abs(value) * 2 ** -10,
          );
        });
    }
    expect(rows.subarray(0, dimension).every((value) => value === 0)).toBe(true);
  });

  it("that are not finite are refused with the token, and nothing of its block is kept", async () => {
    const refused = { code: "model/invalid", message: expect.stringContaining("token 5 ") };
    await expect(smallRows("nan", PROMPTED)).rejects.toMatchObject(refused);
  });

  it("of another tokenizer's graph are refused with the tokens", async () => {
    await expect(smallRows("six", PROMPTED)).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringContaining("tokens 1 to 7"),
    });
  });

  it("that change with their pass are found out, and passed when forced", async () => {
    for (const [graph, found] of [
      ["good", false],
      ["batch", true],
    ] as const) {
      const { folder, done } = smallFolder(graph, PROMPTED);
      const plan = await planIn(folder);
      const opened = await openRowGraph(plan, { device: "cpu", threads: 1 });
      const check = (forced: boolean) => checkRows(opened, plan, forced);
      if (found) {
        await expect(check(false)).rejects.toMatchObject({ code: "model/batch-dependent" });
        expect(await check(true)).toContain("change by up to");
      } else expect(await check(false)).toBeNull();
      await opened.close();
      done();
    }
  });

  it("need no prompt that is longer than the context: such a model is refused", async () => {
    const long = { ...PLAIN, tasks: { search: { query_prompt: "find ".repeat(20), document_prompt: "" } } };
    await expect(smallRows("good", long)).rejects.toMatchObject({ code: "model/invalid" });
  });
});

describe.skipIf(!HAS_TINY_DECODER)(`rows of a decoder${NEEDS_TINY_DECODER}`, () => {
  const description = {
    ...{ format: 1, name: "tiny-decoder", licence: "Apache-2.0", source: "random weights" },
    ...{ tokenizer: { file: "tokenizer.json", lowercase: false }, vocabulary: 49_152, dimension: 64 },
    ...{ max_tokens: 64, pooling: "eos", unit_length: true, prior: null, query_table: "cached" },
    special_tokens: { bos: "<|im_start|>", eos: "<|endoftext|>", pad: null },
    graphs: [{ file: "model.onnx", dense: "last_hidden_state", sparse: "impacts" }],
    tasks: { search: { query_prompt: "query: ", document_prompt: "" } },
    sparse: { mask: ["special"], top_k: 64 },
  };

  async function decoderPlan(): Promise<RowPlan> {
    for (const name of ["model.onnx", "tokenizer.json"])
      copyFileSync(join(TINY_DECODER, name), join(root, name));
    writeFileSync(join(root, "model.json"), JSON.stringify(description));
    const plan = await planIn(root);
    // A tenth of the table: ten blocks, the last not full.
    return { ...plan, tokens: 4700, blocks: 10 };
  }

  it("are the states of the whole graph for the same inputs, to half precision", async () => {
    const plan = await decoderPlan();
    const graph = await openRowGraph(plan, { device: "cpu", threads: 2 });
    const whole = await openGraph(join(root, "model.onnx"), "cpu", 2);
    const ids = [100, 2000, 49_151, 17];
    const inputs = ids.flatMap((id) => [...plan.before, id, ...plan.after]);
    const length = inputs.length / ids.length;
    const tensor = (values: readonly number[]) =>
      new Tensor("int64", BigInt64Array.from(values, BigInt), [ids.length, length]);
    const ones = tensor(inputs.map(() => 1));
    const output = await whole.session.run(
      { input_ids: tensor(inputs), attention_mask: ones, pooling_mask: ones },
      ["last_hidden_state"],
    );
    const states = output.last_hidden_state!.data as Float32Array;
    const { data, first, stride } = await graph.pass(ids);
    for (const at of ids.keys()) {
      const end = (at + 1) * length * 64;
      expect(data.subarray(first + at * stride, first + at * stride + 64)).toEqual(
        states.subarray(end - 64, end),
      );
    }
    await graph.close();
    await whole.session.release();
  });

  it("have the same bytes for any number of threads, parts and starts, though its rows change with their pass", async () => {
    const plan = await decoderPlan();
    const open = (threads: number) => openRowGraph(plan, { device: "cpu", threads });
    const { files } = await run(plan, { graph: await open(2) });
    expect(files.size).toBe(10);
    const cache = newFolder();
    for (const number of [2, 3, 1])
      await run(plan, { cache, part: { number, of: 3 }, graph: await open(number === 2 ? 2 : 1) });
    expect(filesIn(rowFolder(cache, plan))).toEqual(files);
  }, 60_000);
});
