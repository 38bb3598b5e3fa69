/**
 * The proposals of all shards cut to a pool's size over the whole index, as one shard with all documents would
 * have cut them. In two steps, as ids are known only of documents that were scored: first the scores decide, and all
 * that tie for the last place stay; then, with the ids there, the smaller ones among these.
 */
import { compareIdsAt } from "../format/ids.ts";
import { find, union } from "./ascending.ts";
import type { Pool, Proposal, ScoredDocuments, ShardProposals } from "./shard-contract.ts";

/** By shard, the documents to be scored: the best of each side over all shards, and what ties with the last of them. Null where a shard proposed nothing for want of an answer. */
export function chooseDocuments(
  proposed: readonly (ShardProposals | null)[],
  pool: Pool,
): readonly Uint32Array<ArrayBuffer>[] {
  const dense = threshold(proposed, "dense", pool.dense);
  const sparse = threshold(proposed, "sparse", pool.sparse);
  return proposed.map((shard) => {
    if (shard === null) return new Uint32Array(0);
    return union(atLeast(shard.dense, dense.score), atLeast(shard.sparse, sparse.score));
  });
}

/** By shard, for each document that a side proposes, 1 where it still does once the pool is cut: exactly `wanted` of them where there are as many. */
export function settle(
  proposed: readonly (ShardProposals | null)[],
  scored: readonly (ScoredDocuments | null)[],
  side: "dense" | "sparse",
  wanted: number,
): readonly Uint8Array[] {
  const { score, places } = threshold(proposed, side, wanted);
  const tied: { readonly list: number; readonly i: number; readonly at: number }[] = [];
  const marks = proposed.map((shard, list) => {
    const known = scored[list];
    if (shard === null || known === null || known === undefined) return new Uint8Array(0);
    const { documents, scores } = shard[side];
    const kept = new Uint8Array(documents.length);
    for (let i = 0; i < documents.length; i++) {
      if (scores[i]! > score) kept[i] = 1;
      else if (scores[i] === score) tied.push({ list, i, at: find(known.documents, documents[i]!) });
    }
    return kept;
  });
  if (tied.length > places) tied.sort((a, b) => compareIdsAt(scored[a.list]!, a.at, scored[b.list]!, b.at));
  for (const { list, i } of tied.slice(0, places)) marks[list]![i] = 1;
  return marks;
}

/** The score of the last document let in, and how many with just that score are. All are let in where there are no more than wanted. */
function threshold(
  proposed: readonly (ShardProposals | null)[],
  side: "dense" | "sparse",
  wanted: number,
): { readonly score: number; readonly places: number } {
  const lists = proposed.flatMap((shard) => (shard === null ? [] : [shard[side]]));
  const count = lists.reduce((sum, { documents }) => sum + documents.length, 0);
  if (count <= wanted) return { score: Number.NEGATIVE_INFINITY, places: 0 };
  const all = new Float64Array(count);
  let at = 0;
  for (const { scores } of lists) {
    all.set(scores, at);
    at += scores.length;
  }
  const score = greatest(all, wanted);
  let above = 0;
  for (let i = 0; i < count; i++) if (all[i]! > score) above++;
  return { score, places: wanted - above };
}

/** The `wanted`th greatest of these numbers, which change places (Hoare's selection). A fifth of the time of sorting them. */
function greatest(numbers: Float64Array, wanted: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const pivot = numbers[(low + high) >>> 1]!;
    let left = low;
    let right = high;
    while (left <= right) {
      while (numbers[left]! > pivot) left++;
      while (numbers[right]! < pivot) right--;
      if (left > right) break;
      const kept = numbers[left]!;
      numbers[left++] = numbers[right]!;
      numbers[right--] = kept;
    }
    if (wanted - 1 <= right) high = right;
    else if (wanted - 1 >= left) low = left;
    else break;
  }
  return numbers[wanted - 1]!;
}

function atLeast({ documents, scores }: Proposal, least: number): Uint32Array<ArrayBuffer> {
  if (least === Number.NEGATIVE_INFINITY) return documents;
  const kept = new Uint32Array(documents.length);
  let count = 0;
  for (let i = 0; i < documents.length; i++) if (scores[i]! >= least) kept[count++] = documents[i]!;
  return kept.subarray(0, count);
}
