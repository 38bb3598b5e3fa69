/** Q12: what storing a table and vectors in a few bits costs, apart from what the table itself does. */
import { bestIds, denseScores } from "../brute-force.ts";
import { mean, searchIds } from "../evaluate.ts";
import { meanInterval } from "../intervals.ts";
import type { RankedIds } from "../metrics.ts";
import { overlap, TOP } from "./rankers.ts";
import { figure, type Suite, type SuiteRow } from "./suite.ts";

export const fidelity: Suite = {
  name: "fidelity",
  async run({ index, rankAll, queries, full, table, mixed }) {
    const { corpus, ids, tokenizer } = full;
    const found = await rankAll(queries.map(({ text }) => text));
    const documents = { documents: corpus.documents, vector: mixed };
    const exact = queries.map(({ text }) =>
      bestIds(ids, denseScores(documents, table.encode(tokenizer.ids(text))), TOP),
    );
    // Brute force corrects no word, so neither may the index.
    const stored: RankedIds[] = [];
    for (const { text } of queries) {
      stored.push(await searchIds(index, text, "dense", TOP, { typos: false }));
    }
    const encoder = found.map((row) => row["full-dense"]);
    return {
      suite: "fidelity",
      measure: "Share of the second's first ten documents among the first's (recall@10)",
      unit: "queries",
      rows: [
        row("index, float32 brute force", stored, exact),
        row("index, full encoder", stored, encoder),
        row("float32 brute force, full encoder", exact, encoder),
      ],
    };
  },
};

function row(name: string, given: readonly RankedIds[], wanted: readonly RankedIds[]): SuiteRow {
  const shares = wanted.map((ranking, at) => overlap(ranking, given[at]!));
  const whole = shares.map((share) => (share === 1 ? 1 : 0));
  return {
    name,
    count: shares.length,
    figures: {
      "recall@10": figure(mean(shares), meanInterval(shares)),
      worst: figure(Math.min(...shares)),
      "all ten": figure(mean(whole), meanInterval(whole)),
    },
  };
}
