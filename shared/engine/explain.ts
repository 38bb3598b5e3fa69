/**
 * What each word of the query gave to a hit. A dense score is the dot product of the
 * document with a sum of rows, so it falls apart into one term per row exactly; no
 * system that runs a network on the query can say that. The row of a pair of tokens belongs
 * half to the word of each.
 */
import type { Explanation, WordShare } from "../types.ts";
import type { EncodedQuery } from "./encode-query.ts";
import type { Ranked, RankingRule } from "./fuse.ts";
import type { QueryWord } from "./query-words.ts";
import type { ResidentShard, ResidentTable } from "./resident.ts";
import { rowPointer } from "./resident.ts";
import { find } from "./score-shard.ts";

/** The shares of every word in a hit, in the order of the query. Cost: one row and one look-up per token. */
export function explain(
  hit: Ranked,
  words: readonly QueryWord[],
  query: EncodedQuery,
  table: ResidentTable,
  rule: RankingRule,
): Explanation {
  const { shard, document, chunk, dense } = hit.candidate;
  const vector = chunkVector(shard, chunk);
  const rough = words.map((word) => (query.dense ? denseShare(table, word, vector) / query.dense.norm : 0));
  // The ranking's query is rounded to 12 bits and the rows here are not; the difference,
  // some ten-thousandths, is spread evenly so that the shares add up to the score shown.
  const rest = (dense - rough.reduce((sum, share) => sum + share, 0)) / Math.max(1, words.length);
  const shares = words.map((word, at): WordShare => {
    const { text, start, end } = word;
    return {
      word: text,
      start,
      end,
      dense: rough[at]! + rest,
      sparse: sparseShare(table, shard, document, word),
    };
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

/** A chunk's vector in real units. */
function chunkVector(shard: ResidentShard, chunk: number): Float64Array {
  const { padded } = shard.meta;
  const bytes = shard.kernels.bytes(shard.vectors + chunk * padded, padded);
  const scale = shard.scales[chunk]!;
  return Float64Array.from(bytes, (byte) => ((byte << 24) >> 24) * scale);
}

/** Dot product of a word's rows, not normalised, with a document's vector. */
function denseShare(table: ResidentTable, word: QueryWord, vector: Float64Array): number {
  const { kernels, meta, sum } = table;
  kernels.floats(sum, meta.padded).fill(0);
  for (const { row, share } of word.rows) {
    const scale = share * table.scales[row]!;
    kernels.accumulateRow(sum, rowPointer(table, row), meta.bits, meta.padded, table.codebook, scale);
  }
  const rows = kernels.floats(sum, meta.padded);
  let dot = 0;
  for (let j = 0; j < rows.length; j++) dot += rows[j]! * vector[j]!;
  return dot;
}

function sparseShare(table: ResidentTable, shard: ResidentShard, document: number, word: QueryWord): number {
  const stored = word.tokens.reduce(
    (sum, id) => sum + (table.weights[id] ?? 0) * impactOf(shard, document, id),
    0,
  );
  return stored / (table.meta.weight_scale * shard.meta.impact_scale);
}

/** The stored impact of a token in a document, 0 where it has none. Cost: two binary searches. */
function impactOf(shard: ResidentShard, document: number, id: number): number {
  const term = find(shard.terms, id);
  if (term < 0) return 0;
  const first = shard.starts[term]!;
  const count = shard.starts[term + 1]! - first;
  const shorts = shard.kernels.shorts(shard.postingRows + 2 * first, count);
  const at = find(new Uint16Array(shorts.buffer, shorts.byteOffset, count), document);
  return at < 0 ? 0 : shard.kernels.bytes(shard.impacts + first + at, 1)[0]!;
}
