/** How many clusters a query looks into: the fewest that hold what an exact search finds. docs/method.md, section 10. */
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { nearest, placeCentroids } from "../../shared/segment/clusters.ts";
import type { CompressedVector } from "../../shared/segment/compress-vector.ts";
import type { Centroids } from "./clusters.ts";

/** A query, and the document that it was cut from, which does not count as found. */
export interface HeldOutQuery {
  readonly values: Int16Array;
  readonly document: number;
}

/** Documents with their chunks' vectors as shards store them. */
export interface CompressedCorpus {
  readonly documents: readonly {
    readonly firstChunk: number;
    readonly passages: { readonly length: number };
  }[];
  readonly padded: number;
  compressed(chunk: number): CompressedVector;
}

/** A chunk that an exact search finds. */
interface Found {
  readonly chunk: number;
  readonly score: number;
}

/** Documents that an exact search is asked for. */
const DEPTH = 10;
/**
 * Share of the exact int8 ten best that must lie in the clusters looked into. People's questions had some 0.002 less than
 * texts cut out of documents, on the one collection where both were there; what int8 and the first pass lose is not
 * counted. Decision 0015 says what is left end to end.
 */
export const TARGET_RECALL = 0.994;
/** Chunks compared at a time: their vectors stay in the processor's second cache while all queries pass. */
const BLOCK = 2048;

/** The best chunks of the ten best documents of each query, by exact int8 scores. Cost: a product of every query with every chunk. */
export function tenBest(
  queries: readonly HeldOutQuery[],
  corpus: CompressedCorpus,
  kernels: Kernels,
): readonly (readonly Found[])[] {
  const { documents, padded } = corpus;
  const room = documents.reduce((most, { passages }) => Math.max(most, passages.length), BLOCK);
  const vectors = kernels.allocate(room * padded);
  const rows = kernels.allocate(4 * room);
  const query = kernels.allocate(2 * padded);
  const out = kernels.allocate(4 * room);
  kernels.ints(rows, room).forEach((_, row, all) => {
    all[row] = row;
  });
  const best: Found[][] = queries.map(() => []);
  const scales = new Float32Array(room);
  for (let first = 0; first < documents.length; ) {
    let count = 0;
    let end = first;
    for (; end < documents.length && count + documents[end]!.passages.length <= room; end++) {
      const { firstChunk, passages } = documents[end]!;
      for (let at = 0; at < passages.length; at++, count++) {
        const { values, scale } = corpus.compressed(firstChunk + at);
        kernels.bytes(vectors + count * padded, padded).set(new Uint8Array(values.buffer));
        scales[count] = scale;
      }
    }
    queries.forEach(({ values, document: own }, at) => {
      kernels.shorts(query, padded).set(values);
      kernels.dotRows(vectors, rows, count, padded, query, out);
      const dots = kernels.ints(out, count);
      for (let document = first, row = 0; document < end; document++) {
        const { firstChunk, passages } = documents[document]!;
        let found: Found = { chunk: -1, score: Number.NEGATIVE_INFINITY };
        for (let i = 0; i < passages.length; i++, row++) {
          const score = dots[row]! * scales[row]!;
          if (score > found.score) found = { chunk: firstChunk + i, score };
        }
        if (document !== own) insert(best[at]!, found);
      }
    });
    first = end;
  }
  return best;
}

function insert(best: Found[], found: Found): void {
  if (best.length === DEPTH && found.score <= best[DEPTH - 1]!.score) return;
  let place = best.length;
  while (place > 0 && best[place - 1]!.score < found.score) place--;
  best.splice(place, 0, found);
  if (best.length > DEPTH) best.pop();
}

/** The rank, 0 for the nearest, that each found chunk's cluster has for its query. */
export function ranksOf(
  queries: readonly HeldOutQuery[],
  best: readonly (readonly Found[])[],
  {
    trained,
    clusters,
    padded,
    compressed,
  }: Pick<CompressedCorpus, "padded" | "compressed"> & {
    readonly trained: Centroids;
    readonly clusters: number;
  },
  kernels: Kernels,
): readonly number[] {
  const placed = placeCentroids(kernels, { meta: { clusters, padded }, ...trained });
  return best.flatMap((found, at) => {
    const own = found.map(({ chunk }) => nearest(placed, compressed(chunk).values));
    kernels.shorts(placed.query, padded).set(queries[at]!.values);
    kernels.dotRows(placed.centroids, placed.rows, clusters, padded, placed.query, placed.dots);
    const scores = Float32Array.from(
      kernels.ints(placed.dots, clusters),
      (dot, row) => dot * placed.scales[row]!,
    );
    return own.map((cluster) =>
      scores.reduce(
        (rank, score, row) =>
          score > scores[cluster]! || (score === scores[cluster] && row < cluster) ? rank + 1 : rank,
        0,
      ),
    );
  });
}

/** The fewest clusters whose share is the target, and the share that they have; all of them where nothing was measured. */
export function pickProbes(
  ranks: readonly number[],
  clusters: number,
): { readonly probes: number; readonly recall: number } {
  if (ranks.length === 0) return { probes: clusters, recall: 1 };
  const sorted = Uint32Array.from(ranks).sort();
  const probes = sorted[Math.ceil(TARGET_RECALL * sorted.length) - 1]! + 1;
  const within = sorted.findLastIndex((rank) => rank < probes) + 1;
  return { probes, recall: within / sorted.length };
}
