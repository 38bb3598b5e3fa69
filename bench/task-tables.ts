/**
 * How much of one task's table is another's? Rows of two instructions, made as the model's own table is ([bos] prompt
 * token [eos], the state at eos), by the distance between them: as it is, with the mean difference taken off, and with the best scaling
 * too; and what storing the difference instead of the second table would save at the same error.
 *
 *   node bench/task-tables.ts [MODEL_FOLDER [POOLINGS]]
 */
import { openGraphs } from "../indexer/encode/graphs.ts";
import { poolDense } from "../indexer/encode/pool.ts";
import { loadModel } from "../indexer/model/model.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";

const PROMPTS = [
  "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
  "Instruct: Given a scientific claim, retrieve documents that support or refute the claim\nQuery: ",
  "Instruct: Given a question, retrieve questions that ask the same\nQuery: ",
] as const;
/** Rows of a table that are looked at: every n-th token. */
const ROWS = 2048;
const BATCH = 64;

const [folder = "models/minilm-splade", poolings = "eos,mean"] = process.argv.slice(2);
const model = await loadModel(folder);
const tokenizer = loadTokenizer(model.tokenizer);
const graphs = await openGraphs(model, { device: "cpu" });
const step = Math.max(1, Math.floor(tokenizer.vocabulary / ROWS));
const ids = Array.from({ length: Math.min(ROWS, tokenizer.vocabulary) }, (_, at) => at * step);
const { bos, eos } = model.special;

/** The rows of these tokens under a prompt, row-major, not of unit length. */
async function rowsOf(prompt: readonly number[], pooling: "eos" | "mean"): Promise<Float64Array[]> {
  const rows: Float64Array[] = [];
  for (let first = 0; first < ids.length; first += BATCH) {
    const inputs = ids.slice(first, first + BATCH).map((id) => {
      const own = [...(bos === null ? [] : [bos]), ...prompt, id, ...(eos === null ? [] : [eos])];
      return { ids: own, pooled: own.map(() => true) };
    });
    const { dense, sequence } = await graphs.run(inputs, { dense: true, sparse: false });
    const states = { data: dense!, sequence, dimension: model.description.dimension };
    inputs.forEach((_, row) => {
      const rules = { pooling, kept: model.dimension, unit: false };
      rows.push(Float64Array.from(poolDense(states, row, sequence, rules)));
    });
  }
  return rows;
}

const squares = (rows: readonly Float64Array[]) =>
  rows.reduce((sum, row) => sum + row.reduce((inner, value) => inner + value * value, 0), 0);
const minus = (a: readonly Float64Array[], b: (row: number, j: number) => number) =>
  a.map((row, at) => row.map((value, j) => value - b(at, j)));
function meanOf(rows: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(rows[0]!.length);
  for (const row of rows) {
    row.forEach((value, j) => {
      mean[j]! += value / rows.length;
    });
  }
  return mean;
}

console.log(`${model.description.name}, ${ids.length} rows of ${model.dimension} numbers`);
for (const pooling of poolings.split(",") as ("eos" | "mean")[]) {
  const tables = [];
  for (const prompt of PROMPTS) tables.push(await rowsOf(tokenizer.ids(prompt), pooling));
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const [one, other] = [tables[a]!, tables[b]!];
    // A constant row added to every row of a table is what the prompt alone does; what a quantiser pays for is the rest.
    const [meanOne, meanOther] = [meanOf(one), meanOf(other)];
    const [x, y] = [minus(one, (_, j) => meanOne[j]!), minus(other, (_, j) => meanOther[j]!)];
    const product = x.reduce(
      (sum, row, at) => sum + row.reduce((inner, v, j) => inner + v * y[at]![j]!, 0),
      0,
    );
    const scale = product / squares(x);
    const raw = Math.sqrt(squares(minus(other, (at, j) => one[at]![j]!)) / squares(other));
    const centred = Math.sqrt(squares(minus(y, (at, j) => x[at]![j]!)) / squares(y));
    const scaled = Math.sqrt(squares(minus(y, (at, j) => scale * x[at]![j]!)) / squares(y));
    const share = Math.sqrt(squares(y) / squares(other));
    console.log(
      `${pooling} ${a}-${b}: difference ${raw.toFixed(3)} of the rows' length; beside their mean, rows have ${share.toFixed(3)} of it, and differ by ${centred.toFixed(3)} of that, scaled by ${scaled.toFixed(3)}: ${Math.max(0, -Math.log2(scaled)).toFixed(2)} bits a number saved at the same error`,
    );
  }
}
await graphs.close();
