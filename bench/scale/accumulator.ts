/** The plain way of a sparse search: every posting of the query's terms is added up, then the greatest sums are picked. */
import type { SparseQuery } from "../../shared/engine/encoded-query.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import type { StoredImpacts } from "../../shared/segment/segment.ts";

/** Documents that a row of 16 bits can name. */
const BLOCK = 65_536;

/** Postings of up to 65,536 documents, by term. */
export interface PostingBlock {
  readonly first: number;
  readonly documents: number;
  /** Range of each term in the two lists. */
  readonly ranges: ReadonlyMap<number, readonly [start: number, end: number]>;
  readonly rows: Uint16Array<ArrayBuffer>;
  readonly impacts: Uint8Array<ArrayBuffer>;
}

/** A document by its number over all blocks, with its sum. */
export interface Summed {
  readonly document: number;
  readonly score: number;
}

/** The documents' impacts by term, in blocks. */
export function postingBlocks(impacts: readonly StoredImpacts[]): readonly PostingBlock[] {
  const blocks: PostingBlock[] = [];
  for (let first = 0; first < impacts.length; first += BLOCK) {
    const own = impacts.slice(first, first + BLOCK);
    const counts = new Map<number, number>();
    for (const { ids } of own) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    const ranges = new Map<number, [number, number]>();
    let end = 0;
    for (const [id, count] of [...counts].sort(([a], [b]) => a - b)) {
      // Filled below: the end moves from the start to where it belongs.
      ranges.set(id, [end, end]);
      end += count;
    }
    const rows = new Uint16Array(end);
    const values = new Uint8Array(end);
    own.forEach((document, row) => {
      document.ids.forEach((id, i) => {
        const range = ranges.get(id)!;
        rows[range[1]] = row;
        values[range[1]++] = document.values[i]!;
      });
    });
    blocks.push({ first, documents: own.length, ranges, rows, impacts: values });
  }
  return blocks;
}

/** Postings of a query's terms in all blocks. */
export function postingsFor(blocks: readonly PostingBlock[], { terms }: SparseQuery): number {
  const count = ([start, end]: readonly [number, number] = [0, 0]) => end - start;
  return blocks.reduce((all, { ranges }) => terms.reduce((sum, id) => sum + count(ranges.get(id)), all), 0);
}

/** A search that gives the `wanted` greatest sums above 0, best first, ties to the smaller number. */
export type Accumulator = (query: SparseQuery, wanted: number) => readonly Summed[];

/** The search in TypeScript over typed arrays. */
export function plainAccumulator(blocks: readonly PostingBlock[]): Accumulator {
  const sums = new Int32Array(BLOCK);
  return ({ terms, weights }, wanted) => {
    const best: Summed[] = [];
    for (const { first, documents, ranges, rows, impacts } of blocks) {
      sums.fill(0);
      terms.forEach((id, i) => {
        const [start, end] = ranges.get(id) ?? [0, 0];
        const weight = weights[i]!;
        for (let at = start; at < end; at++) sums[rows[at]!]! += weight * impacts[at]!;
      });
      for (let row = 0; row < documents; row++)
        insert(best, { document: first + row, score: sums[row]! }, wanted);
    }
    return best;
  };
}

/** The search over the engine's kernels, one instance for all blocks. */
export function kernelAccumulator(blocks: readonly PostingBlock[], kernels: Kernels): Accumulator {
  // First in memory: 65,536 sums before anything else let the kernel go without a look at its rows.
  const scores = kernels.allocate(4 * BLOCK);
  const out = kernels.allocate(4 * BLOCK);
  const pointers = blocks.map(({ rows, impacts }) => ({
    rows: kernels.allocate(2 * rows.length),
    impacts: kernels.allocate(impacts.length),
  }));
  blocks.forEach(({ rows, impacts }, at) => {
    kernels.shorts(pointers[at]!.rows, rows.length).set(rows);
    kernels.bytes(pointers[at]!.impacts, impacts.length).set(impacts);
  });
  return ({ terms, weights }, wanted) => {
    const best: Summed[] = [];
    blocks.forEach(({ first, documents, ranges }, at) => {
      const sums = kernels.ints(scores, documents).fill(0);
      const { rows, impacts } = pointers[at]!;
      terms.forEach((id, i) => {
        const [start, end] = ranges.get(id) ?? [0, 0];
        kernels.addPostings(rows + 2 * start, impacts + start, end - start, weights[i]!, scores);
      });
      const found = kernels.ints(out, kernels.topInts(scores, documents, wanted, out));
      for (const row of found) insert(best, { document: first + row, score: sums[row]! }, wanted);
    });
    return best;
  };
}

/** Keeps a list at the `wanted` greatest, best first; what comes later stands behind its equals. */
function insert(best: Summed[], next: Summed, wanted: number): void {
  if (next.score <= 0 || (best.length === wanted && next.score <= best[wanted - 1]!.score)) return;
  let place = best.length;
  while (place > 0 && best[place - 1]!.score < next.score) place--;
  best.splice(place, 0, next);
  if (best.length > wanted) best.pop();
}
