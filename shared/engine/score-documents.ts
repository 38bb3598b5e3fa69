/**
 * Exact scores of chosen documents of one shard, with what else a ranking needs of them. A document's numbers do not
 * depend on what else is in its shard.
 */
import type { EncodedQuery } from "./encode-query.ts";
import { impactOf, sparseScores } from "./propose-sparse.ts";
import type { ResidentShard } from "./resident.ts";
import type { ChunkPlace, ScoredDocuments, ShardEvidence } from "./shard-contract.ts";
import { rowSpace } from "./work-space.ts";

/** Both scores of these documents, ascending. */
export function scoreDocuments(
  shard: ResidentShard,
  query: EncodedQuery,
  documents: Uint32Array<ArrayBuffer>,
): ScoredDocuments {
  const sparse = sparseScores(shard, query, documents);
  const places = new Uint32Array(2 * documents.length);
  documents.forEach((document, at) => {
    places[2 * at] = shard.places[2 * document]!;
    places[2 * at + 1] = shard.places[2 * document + 1]!;
  });
  return { documents, ...rescore(shard, query, documents), sparse, places, ...idsOf(shard, documents) };
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
    const row = shard.owners[document]! + chunk;
    vectors.set(new Int8Array(shard.kernels.bytes(shard.vectors + row * padded, padded)), at * padded);
    scales[at] = shard.scales[row]!;
    terms.forEach((term, i) => {
      impacts[at * terms.length + i] = impactOf(shard, document, term);
    });
  });
  return { vectors, scales, impacts, impactScale: shard.meta.impact_scale };
}

/** Exact int8 scores of all chunks of these documents; the best chunk stands for its document, the earlier one on a tie. */
function rescore(
  shard: ResidentShard,
  query: EncodedQuery,
  documents: Uint32Array,
): Pick<ScoredDocuments, "dense" | "chunks"> {
  const { kernels, meta, work, owners } = shard;
  const dense = new Float64Array(documents.length);
  const chunks = new Uint32Array(documents.length);
  if (query.dense === null) return { dense, chunks };
  const rows = rowSpace(shard, meta.chunks);
  let count = 0;
  for (const document of documents) {
    for (let row = owners[document]!; row < owners[document + 1]!; row++) rows[count++] = row;
  }
  kernels.shorts(work.query, meta.padded).set(query.dense.values);
  kernels.dotRows(shard.vectors, work.rows, count, meta.padded, work.query, work.dots);
  const dots = kernels.ints(work.dots, count);
  for (let at = 0, i = 0; at < documents.length; at++) {
    const first = owners[documents[at]!]!;
    dense[at] = Number.NEGATIVE_INFINITY;
    for (let row = first; row < owners[documents[at]! + 1]!; row++, i++) {
      const score = dots[i]! * (shard.scales[row]! * query.dense.scale);
      if (score > dense[at]!) {
        dense[at] = score;
        chunks[at] = row - first;
      }
    }
  }
  return { dense, chunks };
}

function idsOf(
  { ids, idStarts }: ResidentShard,
  documents: Uint32Array,
): Pick<ScoredDocuments, "ids" | "idStarts"> {
  const starts = new Uint32Array(documents.length + 1);
  documents.forEach((document, at) => {
    starts[at + 1] = starts[at]! + idStarts[document + 1]! - idStarts[document]!;
  });
  const copied = new Uint8Array(starts[documents.length]!);
  documents.forEach((document, at) => {
    copied.set(ids.subarray(idStarts[document]!, idStarts[document + 1]!), starts[at]!);
  });
  return { ids: copied, idStarts: starts };
}
