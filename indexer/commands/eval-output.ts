/** What `lightedge eval` prints for people. */
import type { Evaluation } from "../evaluate/evaluate.ts";
import type { Interval } from "../evaluate/intervals.ts";
import type { Tuning } from "../evaluate/tune.ts";

/** The measures of every mode, one line each. */
export function renderEvaluation(evaluation: Evaluation): string {
  const { collection, queries, documents, modes, kept, intervals } = evaluation;
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
    `${collection}: ${queries} queries, ${documents} documents`,
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

function range({ low, high }: Interval, digits: number): string {
  return `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}
