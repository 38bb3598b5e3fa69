/** Whether a token's row depends on which others share its pass, as `encode/batch-check.ts` asks of texts. */
import { LightedgeError } from "../../shared/errors.ts";
import { BATCH_TOLERANCE } from "../encode/batch-check.ts";
import type { PassRows, RowGraph } from "./row-graph.ts";
import { idsOf, type RowPlan } from "./row-plan.ts";

/** Ids that are run alone and together. */
const SAMPLE = 8;

/**
 * Throws `model/batch-dependent` for a graph whose rows change with the pass by more than `BATCH_TOLERANCE` of a unit
 * vector, unless forced; then resolves to a warning. Resolves to null for one that passes. Cost: 9 passes.
 */
export async function checkRows(graph: RowGraph, plan: RowPlan, forced: boolean): Promise<string | null> {
  const all = idsOf(plan, 0);
  const step = Math.max(1, Math.floor(all.length / SAMPLE));
  const ids = all.filter((_, at) => at % step === 0).slice(0, SAMPLE);
  const together = await graph.pass(ids);
  const rows = ids.map((_, at) => unitRow(together, at, plan.dimension));
  let greatest = 0;
  for (const [at, id] of ids.entries()) {
    const alone = unitRow(await graph.pass([id]), 0, plan.dimension);
    rows[at]!.forEach((value, j) => {
      greatest = Math.max(greatest, Math.abs(value - alone[j]!));
    });
  }
  if (greatest <= BATCH_TOLERANCE) return null;
  const message = `Rows of ${plan.model.description.name} change by up to ${greatest.toPrecision(2)} with what else is in the pass (at most ${BATCH_TOLERANCE} is allowed). Dynamic int8 graphs do; use weight-only quantisation.`;
  if (forced) return `${message} --force goes on: passes are the same in every run, so the rows are too.`;
  throw new LightedgeError("model/batch-dependent", `${message} --force goes on all the same.`, {
    field: "model",
    value: greatest.toPrecision(2),
    limit: BATCH_TOLERANCE,
  });
}

/** A row at length 1. What is not finite differs from nothing: making the row says so, naming its token. */
function unitRow({ data, first, stride }: PassRows, at: number, dimension: number): Float64Array {
  const row = Float64Array.from(data.subarray(first + at * stride, first + at * stride + dimension));
  const norm = Math.sqrt(row.reduce((squares, value) => squares + value * value, 0));
  return row.map((value) => (norm > 0 && Number.isFinite(norm) ? value / norm : 0));
}
