/** The query tables of exported decoders, made as `lightedge table` makes them, against PyTorch's rows. */
import { describe, expect, it } from "vitest";
import { cachedRows } from "../../../indexer/cached/cached-rows.ts";
import { openRowGraph } from "../../../indexer/cached/row-graph.ts";
import { planRows } from "../../../indexer/cached/row-plan.ts";
import { loadModel } from "../../../indexer/model/model.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { DECODERS, decoderFolder, decoderValues } from "../../helpers/decoders.ts";
import { run } from "../cached/rows.ts";

describe.each(DECODERS)("query tables of an exported %s", (name) => {
  const folder = decoderFolder(name);
  const values = decoderValues(folder);

  it.each(Object.keys(values.rows))("have PyTorch's rows, rounded to halves: task %s", async (task) => {
    const model = await loadModel(folder);
    const plan = await planRows(model, loadTokenizer(model.tokenizer), task);
    const { cache } = await run(plan, { graph: await openRowGraph(plan, { device: "cpu", threads: 2 }) });
    const rows = await cachedRows(plan, cache, null).read(0, model.description.vocabulary);
    const rowOf = (id: number) => rows.subarray(id * model.dimension, (id + 1) * model.dimension);
    for (const [id, wanted] of values.rows[task]!) {
      // What stands around a text is in no query, so it has no row here; PyTorch computes one.
      if (values.special.includes(id)) expect(rowOf(id).every((value) => value === 0)).toBe(true);
      else
        rowOf(id).forEach((value, j) => {
          expect(Math.abs(value - wanted[j]!)).toBeLessThanOrEqual(1e-5 + Math.abs(wanted[j]!) * 2 ** -11);
        });
    }
  });

  it("differ from task to task by far more than by rounding", () => {
    const [first, second] = Object.values(values.rows);
    first!.forEach(([, row], at) => {
      const other = second![at]![1];
      expect(Math.hypot(...row.map((value, j) => value - other[j]!))).toBeGreaterThan(0.1);
    });
  });
});
