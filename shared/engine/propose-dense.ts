/** The dense side's first pass: estimates of the cosine from one bit a number, and the documents with the best of them. */
import type { EncodedQuery } from "./encode-query.ts";
import type { LiveShard } from "./live-shards.ts";
import type { Proposal } from "./shard-contract.ts";
import { takeRows } from "./work-space.ts";

/** The `wanted` best documents by their best chunk's estimate; none where the query has no dense side. Cost: one pass over the codes. */
export function proposeDense(shard: LiveShard, query: EncodedQuery, wanted: number): Proposal {
  if (query.dense === null) return { documents: new Uint32Array(0), scores: new Float32Array(0) };
  const { kernels, meta, work, owners } = shard;
  const { planes, planeSum } = query.dense;
  kernels.bytes(work.planes, planes.length).set(planes);
  kernels.scanCodes(
    shard.codes,
    shard.factors,
    meta.chunks,
    meta.padded,
    work.planes,
    planeSum,
    work.estimates,
  );
  const estimates = kernels.floats(work.estimates, meta.chunks);
  if (meta.documents < meta.chunks) {
    // In place: a document's number never passes that of its first chunk.
    for (let document = 0; document < meta.documents; document++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let chunk = owners[document]!; chunk < owners[document + 1]!; chunk++) {
        if (estimates[chunk]! > best) best = estimates[chunk]!;
      }
      estimates[document] = best;
    }
  }
  for (const document of shard.dead) estimates[document] = Number.NEGATIVE_INFINITY;
  const top = takeRows(shard, (out) => kernels.topFloats(work.estimates, meta.documents, wanted, out));
  // The dead come last, but they come where fewer live than are wanted.
  const documents =
    shard.dead.length === 0 ? top : top.filter((document) => estimates[document]! > Number.NEGATIVE_INFINITY);
  return { documents, scores: Float32Array.from(documents, (document) => estimates[document]!) };
}
