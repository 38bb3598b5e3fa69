/** The dense side's first pass: estimates of the cosine from one bit a number, and the documents with the best of them. */
import { SCAN_BATCH } from "./codes.ts";
import type { DenseQuery, EncodedQuery } from "./encode-query.ts";
import type { LiveShard } from "./live-shards.ts";
import type { Proposal } from "./shard-contract.ts";
import { takeRows } from "./work-space.ts";

/** The `wanted` best documents by their best chunk's estimate; none where the query has no dense side. Cost: one pass over the codes. */
export function proposeDense(shard: LiveShard, query: EncodedQuery, wanted: number): Proposal {
  if (query.dense === null) return { documents: new Uint32Array(0), scores: new Float32Array(0) };
  const { kernels, meta, work } = shard;
  const { planes } = query.dense;
  kernels.bytes(work.planes, planes.length).set(planes);
  kernels.scanTables(work.planes, meta.padded, work.tables);
  return shard.codeDocuments === null
    ? proposeAll(shard, query.dense, wanted)
    : proposeSeen(shard, shard.codeDocuments, query.dense, wanted);
}

/** Where code, chunk and document have one number: estimates of all, as they are. */
function proposeAll(shard: LiveShard, { planeSum }: DenseQuery, wanted: number): Proposal {
  const { kernels, meta, work, dead } = shard;
  scan(shard, 0, meta.chunks, planeSum, work.best);
  const best = kernels.floats(work.best, meta.documents);
  for (const document of dead) best[document] = Number.NEGATIVE_INFINITY;
  const top = takeRows(shard, (out) => kernels.topFloats(work.best, meta.documents, wanted, out));
  // The dead come last, but they come where fewer live than are wanted.
  const documents =
    dead.length === 0 ? top : top.filter((document) => best[document]! > Number.NEGATIVE_INFINITY);
  return { documents, scores: Float32Array.from(documents, (document) => best[document]!) };
}

/** Batches of estimates scattered to their documents; then only those that were seen are looked at. */
function proposeSeen(
  shard: LiveShard,
  codeDocuments: number,
  { planeSum }: DenseQuery,
  wanted: number,
): Proposal {
  const { kernels, meta, work } = shard;
  for (let first = 0; first < meta.chunks; first += SCAN_BATCH) {
    const count = Math.min(SCAN_BATCH, meta.chunks - first);
    scan(shard, first, count, planeSum, work.estimates);
    kernels.scatterMax(work.estimates, codeDocuments + 2 * first, count, work.best, work.seen);
  }
  const seen = kernels.ints(work.seen, Math.ceil(meta.documents / 32));
  for (const document of shard.dead) seen[document >> 5]! &= ~(1 << (document & 31));
  const found = kernels.gatherSeen(work.best, work.seen, meta.documents, work.found);
  const rows = takeRows(shard, (out) => kernels.topFloats(work.best, found, wanted, out));
  const numbers = kernels.shorts(work.found, found);
  const best = kernels.floats(work.best, found);
  return {
    documents: rows.map((row) => numbers[row]! & 0xffff),
    scores: Float32Array.from(rows, (row) => best[row]!),
  };
}

function scan(shard: LiveShard, first: number, count: number, planeSum: number, estimates: number): void {
  const { kernels, codes, factors, meta, work } = shard;
  kernels.scanCodes(codes, factors, first, count, meta.padded, work.tables, planeSum, estimates);
}
