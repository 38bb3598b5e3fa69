/**
 * What each word of the query gave to a hit. A dense score is the dot product of the
 * document with a sum of rows, so it falls apart into one term per row exactly; no
 * system that runs a network on the query can say that. The row of a pair of tokens belongs
 * half to the word of each.
 */
import type { Explanation, WordShare } from "../types.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import type { Ranked, RankingRule } from "./fuse.ts";
import type { QueryWord } from "./query-words.ts";
import { addRow, type ResidentTable } from "./resident-table.ts";
import type { ShardEvidence } from "./shard-contract.ts";

/** The distinct token ids of these words, for which a hit's impacts are needed. */
export function termsOf(words: readonly QueryWord[]): readonly number[] {
  return [...new Set(words.flatMap(({ tokens }) => tokens))];
}

/**
 * The shares of every word in a hit, in the order of the query. `evidence` is that of the hit's chunk for
 * `termsOf(words)`. Cost: one row and one look-up per token.
 */
export function explain(
  hit: Ranked,
  words: readonly QueryWord[],
  query: EncodedQuery,
  table: ResidentTable,
  rule: RankingRule,
  evidence: ShardEvidence,
): Explanation {
  const { dense } = hit.candidate;
  const vector = Float64Array.from(evidence.vectors, (value) => value * evidence.scales[0]!);
  const rough = words.map((word) => (query.dense ? denseShare(table, word, vector) / query.dense.norm : 0));
  // The ranking's query is rounded to 12 bits and the rows here are not; the difference,
  // some ten-thousandths, is spread evenly so that the shares add up to the score shown.
  const rest = (dense - rough.reduce((sum, share) => sum + share, 0)) / Math.max(1, words.length);
  const impacts = new Map(termsOf(words).map((term, at) => [term, evidence.impacts[at]!]));
  const unit = 1 / (table.meta.weight_scale * evidence.impactScale);
  const shares = words.map((word, at): WordShare => {
    const { text, start, end, tokens } = word;
    const stored = tokens.reduce((sum, id) => sum + (table.weights[id] ?? 0) * impacts.get(id)!, 0);
    return { word: text, start, end, dense: rough[at]! + rest, sparse: stored * unit };
  });
  const hybrid = rule.mode === "hybrid";
  return {
    words: shares,
    fusion: {
      rule: hybrid ? rule.fusion : "none",
      weight: hybrid ? rule.weight : rule.mode === "dense" ? 1 : 0,
      dense: hit.dense,
      sparse: hit.sparse,
    },
  };
}

/** Dot product of a word's rows, not normalised, with a document's vector. */
function denseShare(table: ResidentTable, word: QueryWord, vector: Float64Array): number {
  const { kernels, meta, sum } = table;
  kernels.floats(sum, meta.padded).fill(0);
  for (const { row, share } of word.rows) {
    addRow(table, row, share * table.scales[row]!);
  }
  const rows = kernels.floats(sum, meta.padded);
  let dot = 0;
  for (let j = 0; j < rows.length; j++) dot += rows[j]! * vector[j]!;
  return dot;
}
