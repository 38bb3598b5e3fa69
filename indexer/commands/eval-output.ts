/** What `lightedge eval` prints for people. */
import type { Evaluation } from "../evaluate/evaluate.ts";
import type { Interval } from "../evaluate/intervals.ts";
import type { Robustness } from "../evaluate/robustness/run.ts";
import type { SuiteResult } from "../evaluate/robustness/suite.ts";
import type { Tuning } from "../evaluate/tune.ts";

/** The measures of every mode, one line each. */
export function renderEvaluation(evaluation: Evaluation): string {
  const { collection, queries, documents, weight, modes, kept, intervals } = evaluation;
  const rows = Object.entries(modes).map(([mode, scores]) => {
    const values = Object.values(scores).map((value: number) => value.toFixed(4).padStart(10));
    return `  ${mode.padEnd(12)} ${values.join(" ")}   ${range(intervals["ndcg@10"][mode]!, 4)}`;
  });
  const share = (name: "dense" | "hybrid" | "hybrid/full-dense") =>
    `${kept![name].toFixed(3)} (${range(intervals.kept![name], 3)})`;
  const ratios =
    kept === undefined
      ? []
      : [
          `  kept: dense ${share("dense")}, hybrid ${share("hybrid")}; hybrid against full dense ${share("hybrid/full-dense")}`,
        ];
  return [
    `${collection}: ${queries} queries, ${documents} documents, dense share ${weight}`,
    "                  ndcg@10 recall@100     mrr@10   95 % of ndcg@10",
    ...rows,
    ...ratios,
  ].join("\n");
}

/** The curve over the weights, the choice, and how to set it. */
export function renderTuning({ from, queries, shared, curve, weight, reported }: Tuning): string {
  const most = Math.max(...curve.map((point) => point["ndcg@10"]));
  const rows = curve.map((point) => {
    const value = point["ndcg@10"];
    const bar = "#".repeat(Math.round(40 * Math.max(0, 1 - 10 * (1 - value / most))));
    return `  ${point.weight.toFixed(2)}  ${value.toFixed(4)}  ${bar}${point.weight === weight ? "  <" : ""}`;
  });
  const left = shared === 0 ? "" : `, without ${shared} that are reported`;
  const { own, chosen, gain } = reported;
  return [
    `weight chosen on ${queries} queries: ${from}${left}`,
    "  dense  ndcg@10",
    ...rows,
    `  on the queries reported: ${own["ndcg@10"].toFixed(4)} with the index's ${own.weight}, ` +
      `${chosen["ndcg@10"].toFixed(4)} with ${chosen.weight} (gain ${range(gain, 4)})`,
    `  to set it: lightedge index ... --weight ${weight}`,
  ].join("\n");
}

/** One table a suite. The intervals are in the JSON only: a terminal is too narrow for them. */
export function renderRobustness({ seed, sample, suites }: Robustness): string {
  const head = `robustness: ${sample} queries said in other ways, seed ${seed}`;
  return [head, ...suites.map(renderSuite)].join("\n\n");
}

function renderSuite({ suite, measure, unit, rows }: SuiteResult): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const wide = Math.max(...rows.map(({ name }) => name.length), 12);
  const widths = columns.map((column) => Math.max(column.length, 6));
  const line = (name: string, count: string, cells: readonly string[]) =>
    `  ${name.padEnd(wide)} ${count.padStart(6)}  ${cells.map((cell, at) => cell.padStart(widths[at]!)).join("  ")}`;
  const cell = (value: number | undefined) => {
    if (value === undefined) return "-";
    // What rounds to zero has no sign.
    return Number.isInteger(value) && value > 1 ? String(value) : value.toFixed(3).replace("-0.000", "0.000");
  };
  return [
    `${suite}: ${measure}.`,
    line("", unit.split(",")[0]!.slice(0, 7), columns),
    ...rows.map(({ name, count, figures }) =>
      line(
        name,
        String(count),
        columns.map((column) => cell(figures[column]?.value)),
      ),
    ),
  ].join("\n");
}

function range({ low, high }: Interval, digits: number): string {
  return `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}
