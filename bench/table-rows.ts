/**
 * Rows of a cached table a second, against the bare forward passes: a loop that runs the same graph on the same
 * batches and throws away what it gives. Both sides take turns in one process, so what else the machine does hits both;
 * every turn is a whole vocabulary, the rows' folder new. Over the random decoder that lies beside the checkout.
 *
 *   node bench/table-rows.ts [--rounds 10] [--prompt TEXT] [--json]
 *
 * The bare passes are of the graph without what hidden states do not need, as the product runs it. What the graph with
 * its language model head would take is measured over a few passes and printed beside it.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tensor } from "onnxruntime-node";
import { partFor } from "../indexer/cached/graph-part.ts";
import { makeRows } from "../indexer/cached/make-rows.ts";
import { openRowGraph } from "../indexer/cached/row-graph.ts";
import { idsOf, planRows, type RowPlan } from "../indexer/cached/row-plan.ts";
import { openGraph } from "../indexer/encode/device.ts";
import { loadModel } from "../indexer/model/model.ts";
import { SILENT } from "../indexer/progress.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import { TINY_DECODER } from "../test/helpers/shared-models.ts";
import { against, quantile, type Result, round } from "./result.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    prompt: { type: "string", default: "query: " },
    json: { type: "boolean" },
  },
});
/** Passes of the whole graph that are timed. */
const WHOLE_PASSES = 4;

const folder = mkdtempSync(join(tmpdir(), "lightedge-rows-"));
try {
  const plan = await planOf(folder, values.prompt);
  const results = await measure(plan, folder, Number(values.rounds));
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ results }, null, 2)}\n`
      : `${results.map(({ name, value, unit, ratio, note }) => `${name}: ${value} ${unit}${ratio === undefined ? "" : `, ratio ${ratio}`}${note === undefined ? "" : ` (${note})`}`).join("\n")}\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

/** A model folder of the decoder with this prompt, and the plan of its table. */
async function planOf(to: string, prompt: string): Promise<RowPlan> {
  for (const name of ["model.onnx", "tokenizer.json"]) copyFileSync(join(TINY_DECODER, name), join(to, name));
  const description = {
    ...{ format: 1, name: "tiny-decoder", licence: "Apache-2.0", source: "" },
    ...{ tokenizer: { file: "tokenizer.json", lowercase: false }, vocabulary: 49_152, dimension: 64 },
    ...{ max_tokens: 512, special_tokens: { bos: "<|im_start|>", eos: "<|endoftext|>", pad: null } },
    graphs: [{ file: "model.onnx", dense: "last_hidden_state", sparse: "impacts" }],
    ...{ pooling: "eos", unit_length: true, sparse: { mask: ["special", "pad"], top_k: 128 }, prior: null },
    tasks: { search: { query_prompt: prompt, document_prompt: "" } },
    query_table: "cached",
  };
  writeFileSync(join(to, "model.json"), JSON.stringify(description));
  const model = await loadModel(to);
  return planRows(model, loadTokenizer(model.tokenizer), "search");
}

async function measure(plan: RowPlan, model: string, rounds: number): Promise<readonly Result[]> {
  const batches = Array.from({ length: plan.blocks }, (_, block) => idsOf(plan, block)).flatMap((ids) =>
    Array.from({ length: Math.ceil(ids.length / plan.pass) }, (_, at) =>
      ids.slice(at * plan.pass, (at + 1) * plan.pass),
    ),
  );
  const rows = batches.reduce((sum, ids) => sum + ids.length, 0);
  const file = new Uint8Array(readFileSync(join(model, "model.onnx")));
  const part = await openGraph({ bytes: partFor(file, "last_hidden_state"), folder: model }, "cpu", 2);
  const whole = await openGraph(join(model, "model.onnx"), "cpu", 2);
  const graph = await openRowGraph(plan, { device: "cpu", threads: 2 });
  const feeds = batches.map((ids) => feedsOf(plan, ids));
  const bare = async (): Promise<number> => {
    const started = performance.now();
    for (const { pooling_mask: _, ...feed } of feeds) await part.session.run(feed, ["last_hidden_state"]);
    return rows / ((performance.now() - started) / 1000);
  };
  let turn = 0;
  const ours = async (): Promise<number> => {
    const cache = join(model, `cache-${turn++}`);
    const started = performance.now();
    const counts = await makeRows(
      plan,
      null,
      { cache, open: async () => ({ ...graph, close: async () => {} }) },
      SILENT,
    );
    const rate = rows / ((performance.now() - started) / 1000);
    if (counts.rows !== rows) throw new Error(`made ${counts.rows} rows of ${rows}`);
    rmSync(cache, { recursive: true });
    return rate;
  };
  await bare();
  await ours();
  const pairs: (readonly [number, number])[] = [];
  for (let at = 0; at < rounds; at++) pairs.push([await ours(), await bare()]);
  const started = performance.now();
  for (const feed of feeds.slice(0, WHOLE_PASSES)) await whole.session.run(feed, ["last_hidden_state"]);
  const wholeRate = (WHOLE_PASSES * plan.pass) / ((performance.now() - started) / 1000);
  const ratios = pairs.map(([a, b]) => a / b);
  const [mine, theirs] = [0, 1].map((side) =>
    quantile(
      pairs.map((pair) => pair[side]!),
      0.5,
    ),
  );
  const length = plan.before.length + 1 + plan.after.length;
  const spread = `ratio of each pair ${round(quantile(ratios, 0))} to ${round(quantile(ratios, 1))}, median ${round(quantile(ratios, 0.5))}; ${rows} rows, inputs of ${length} tokens, ${plan.pass} a pass`;
  return [
    against(
      { name: "table rows", value: round(mine!), unit: "rows/s", note: spread },
      "bare forward passes",
      theirs!,
      "more",
    ),
    {
      name: "the whole graph, bare",
      value: round(wholeRate),
      unit: "rows/s",
      note: "with its language model head, which a row does not need",
    },
  ];
}

function feedsOf({ before, after }: RowPlan, ids: readonly number[]) {
  const row = (id: number) => [...before, id, ...after];
  const length = row(0).length;
  const tensor = (data: readonly number[]) =>
    new Tensor("int64", BigInt64Array.from(data, BigInt), [ids.length, length]);
  const ones = tensor(new Array<number>(ids.length * length).fill(1));
  return { input_ids: tensor(ids.flatMap(row)), attention_mask: ones, pooling_mask: ones };
}
