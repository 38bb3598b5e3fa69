/** Postings of made-up shards, laid out for kernels. */
import type { Kernels, Pointer } from "../../shared/kernels/kernels.ts";
import {
  LIST_MARGIN,
  LIST_RECORD,
  type PostingArrays,
  planLists,
  writeLists,
} from "../../shared/kernels/posting-lists.ts";

/** One term: its documents, ascending, with an impact each. */
export type Postings = readonly (readonly [row: number, impact: number])[];

/** A query's term. */
export interface WeightedPostings {
  readonly postings: Postings;
  readonly weight: number;
}

/** Terms as a shard file has them. Each must have a posting. */
export function postingArrays(terms: readonly Postings[]): PostingArrays {
  const starts = new Uint32Array(terms.length + 1);
  terms.forEach((postings, at) => {
    starts[at + 1] = starts[at]! + postings.length;
  });
  return {
    starts,
    rows: Uint16Array.from(terms.flatMap((postings) => postings.map(([row]) => row))),
    impacts: Uint8Array.from(terms.flatMap((postings) => postings.map(([, impact]) => impact))),
  };
}

/** Writes the lists of these terms into kernel memory, and the records of a query over all of them. */
export function putLists(
  kernels: Kernels,
  terms: readonly WeightedPostings[],
  documents: number,
): { readonly lists: Pointer; readonly count: number } {
  const arrays = postingArrays(terms.map(({ postings }) => postings));
  const plan = planLists(arrays, documents);
  const bytes = plan[terms.length]!;
  const base = kernels.allocate(bytes + LIST_MARGIN);
  const lists = kernels.allocate(LIST_RECORD * terms.length);
  writeLists(arrays, documents, plan, kernels.bytes(base, bytes));
  const records = kernels.ints(lists, (LIST_RECORD * terms.length) / 4);
  terms.forEach(({ weight }, at) => {
    records.set([base + plan[at]!, plan[at + 1]! - plan[at]!, weight], (at * LIST_RECORD) / 4);
  });
  return { lists, count: terms.length };
}

/** A bit for each of these documents. */
export function putDead(kernels: Kernels, dead: readonly number[], documents: number): Pointer {
  if (dead.length === 0) return 0;
  const bytes = 32 * Math.ceil(documents / 256);
  const pointer = kernels.allocate(bytes);
  const bits = kernels.bytes(pointer, bytes);
  for (const row of dead) bits[row >> 3]! |= 1 << (row & 7);
  return pointer;
}

/** What `topPostings` finds, as pairs of document and sum. */
export function topOf(
  kernels: Kernels,
  terms: readonly WeightedPostings[],
  documents: number,
  wanted: number,
  dead: readonly number[] = [],
  { places = wanted + 256, least = 1 } = {},
): readonly (readonly [row: number, sum: number])[] {
  const { lists, count } = putLists(kernels, terms, documents);
  const gone = putDead(kernels, dead, documents);
  const out = kernels.allocate(12 * places);
  const found = kernels.topPostings(lists, count, documents, gone, least, wanted, out, places);
  const sums = kernels.ints(out + 4 * places, found);
  return [...kernels.ints(out, found)].map((row, at) => [row, sums[at]!] as const);
}

/** The same by a map of sums and a sort: the meaning. */
export function bestOf(
  terms: readonly WeightedPostings[],
  wanted: number,
  dead: readonly number[] = [],
  least = 1,
): readonly (readonly [row: number, sum: number])[] {
  const sums = new Map<number, number>();
  for (const { postings, weight } of terms) {
    for (const [row, impact] of postings) sums.set(row, (sums.get(row) ?? 0) + weight * impact);
  }
  for (const row of dead) sums.delete(row);
  return [...sums]
    .filter(([, sum]) => sum >= least)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, wanted)
    .sort(([a], [b]) => a - b);
}
