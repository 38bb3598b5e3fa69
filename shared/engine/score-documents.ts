/**
 * Exact scores of chosen documents of one shard, with what else a ranking needs of them. A document's numbers do not
 * depend on what else is in its shard.
 */
import type { EncodedQuery } from "./encoded-query.ts";
import { impactOf, sparseScores } from "./propose-sparse.ts";
import type { ResidentShard } from "./resident.ts";
import type { ChunkPlace, ScoredDocuments, ShardEvidence } from "./shard-contract.ts";

/** Both scores of these documents, ascending. */
export function scoreDocuments(
  shard: ResidentShard,
  query: EncodedQuery,
  documents: Uint32Array<ArrayBuffer>,
): ScoredDocuments {
  const sparse = sparseScores(shard, query, documents);
  return { documents, ...rescore(shard, query, documents), sparse, ...shard.cold.facts(documents) };
}

/** The numbers behind the scores of these chunks. */
export function evidenceOf(
  shard: ResidentShard,
  chunks: readonly ChunkPlace[],
  terms: readonly number[],
): ShardEvidence {
  const { padded } = shard.meta;
  const vectors = new Int8Array(chunks.length * padded);
  const scales = new Float32Array(chunks.length);
  const impacts = new Uint8Array(chunks.length * terms.length);
  chunks.forEach(({ document, chunk }, at) => {
    const { values, scale } = shard.cold.vector(shard.owners[document]! + chunk);
    vectors.set(values, at * padded);
    scales[at] = scale;
    terms.forEach((term, i) => {
      impacts[at * terms.length + i] = impactOf(shard, document, term);
    });
  });
  return { vectors, scales, impacts, impactScale: shard.meta.impact_scale };
}

/** Exact int8 scores of all chunks of these documents; the best chunk stands for its document, the earlier one on a tie. */
function rescore(
  { cold, owners }: ResidentShard,
  query: EncodedQuery,
  documents: Uint32Array,
): Pick<ScoredDocuments, "dense" | "chunks"> {
  const dense = new Float64Array(documents.length);
  const chunks = new Uint32Array(documents.length);
  if (query.dense === null) return { dense, chunks };
  const { dots, scales } = cold.score(documents, query.dense.values);
  for (let at = 0, i = 0; at < documents.length; at++) {
    const first = owners[documents[at]!]!;
    dense[at] = Number.NEGATIVE_INFINITY;
    for (let row = first; row < owners[documents[at]! + 1]!; row++, i++) {
      const score = dots[i]! * (scales[i]! * query.dense.scale);
      if (score > dense[at]!) {
        dense[at] = score;
        chunks[at] = row - first;
      }
    }
  }
  return { dense, chunks };
}
