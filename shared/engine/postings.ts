/** A shard's postings as they lie in memory, and the space that a query works in. */
import { LightedgeError } from "../errors.ts";
import type { HotShardFile, ShardMeta } from "../format/shard.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
import {
  BLOCK_DOCUMENTS,
  blocksOf,
  FORM,
  LIST_MARGIN,
  LIST_RECORD,
  planLists,
  writeLists,
} from "../kernels/posting-lists.ts";
import { REQUEST_LIMITS } from "../limits.ts";
import { find } from "./ascending.ts";
import { FAR_POOL } from "./shard-contract.ts";

/** Lists of postings in kernel memory. */
export interface ResidentPostings {
  /** Tokens with postings, ascending. */
  readonly terms: Uint32Array<ArrayBuffer>;
  /** First byte, from `lists` on, of each token's list, and where the last one ends. */
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly lists: Pointer;
  /** Space for a query: a record for each of its lists, what it finds, a bit for each dead document. */
  readonly records: Pointer;
  readonly top: Pointer;
  readonly deadBits: Pointer;
  /** Documents that `top` has places for. */
  readonly places: number;
}

/** Places beyond those wanted: the more, the seldomer the best are picked out on the way. */
const SPARE_PLACES = 1024;

/** Lengths of what `layPostings` fills and needs, by name. `starts` as planned. */
export function postingLengths({ documents, terms }: ShardMeta, starts: Uint32Array) {
  return { lists: starts[terms]! + LIST_MARGIN, ...workLengths(documents, terms) };
}

/** No fewer bytes than `postingLengths` come to, from the meta alone: what a shard is refused by before it is read. */
export function mostPostingBytes({ documents, terms, postings }: ShardMeta): number {
  // A gap takes two bytes or more only where documents are scarce, and three no more than four times a list.
  const lists = 3 * postings + 8 * terms + LIST_MARGIN;
  return Object.values(workLengths(documents, terms)).reduce((sum, bytes) => sum + bytes, lists);
}

function workLengths(documents: number, terms: number) {
  return {
    records: Math.min(terms, REQUEST_LIMITS.queryTokens) * LIST_RECORD,
    top: 12 * placesFor(documents),
    deadBits: (blocksOf(documents) * BLOCK_DOCUMENTS) / 8,
  };
}

function placesFor(documents: number): number {
  return Math.min(documents, FAR_POOL.sparse) + SPARE_PLACES;
}

/** Where each list will lie. Cost: a pass over the rows. */
export function planPostings(file: HotShardFile): Uint32Array<ArrayBuffer> {
  return planLists(file, file.meta.documents);
}

/** Lays the postings of a file that was read to where they stay. Cost: a pass over them. */
export function layPostings(
  kernels: Kernels,
  file: HotShardFile,
  starts: Uint32Array<ArrayBuffer>,
  at: Readonly<Record<"lists" | "records" | "top" | "deadBits", Pointer>>,
): ResidentPostings {
  const { meta, terms } = file;
  writeLists(file, meta.documents, starts, kernels.bytes(at.lists, starts[meta.terms]!));
  const { lists, records, top, deadBits } = at;
  return { terms, starts, lists, records, top, deadBits, places: placesFor(meta.documents) };
}

/** Bytes outside kernel memory. */
export function postingBytes({ terms, starts }: ResidentPostings): number {
  return terms.byteLength + starts.byteLength;
}

/** A query's list: its term's place in the shard, its weight, and its rank among the query's lists. */
interface Ranked {
  readonly term: number;
  readonly weight: number;
  readonly rank: number;
}

/**
 * Writes the records of the terms that the shard knows, in the order that kernels like best, and returns how many. Throws
 * `internal` for more terms than a query can have.
 */
export function putRecords(
  kernels: Kernels,
  postings: ResidentPostings,
  terms: readonly number[],
  weights: readonly number[],
): number {
  const { starts, lists, records } = postings;
  const heads = kernels.bytes(lists, starts[starts.length - 1]!);
  const ranked: Ranked[] = [];
  for (let i = 0; i < terms.length; i++) {
    const term = find(postings.terms, terms[i]!);
    if (term < 0) continue;
    const at = starts[term]!;
    const weight = weights[i]!;
    // Most that it can add; gaps come last.
    const rank = heads[at + 3] === FORM.gaps ? Number.POSITIVE_INFINITY : heads[at + 2]! * weight;
    ranked.push({ term, weight, rank });
  }
  if (ranked.length > REQUEST_LIMITS.queryTokens) {
    throw new LightedgeError("internal", `A query came with ${ranked.length} terms.`);
  }
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  const ints = kernels.ints(records, (ranked.length * LIST_RECORD) / 4);
  for (let i = 0, at = 0; i < ranked.length; i++, at += LIST_RECORD / 4) {
    const { term, weight } = ranked[i]!;
    ints[at] = lists + starts[term]!;
    ints[at + 1] = starts[term + 1]! - starts[term]!;
    ints[at + 2] = weight;
  }
  return ranked.length;
}

/** Sets the bits of the dead, and says where they are; 0 where none is. */
export function putDead(
  kernels: Kernels,
  { deadBits }: ResidentPostings,
  documents: number,
  dead: Uint16Array,
): Pointer {
  if (dead.length === 0) return 0;
  const bits = kernels.bytes(deadBits, (blocksOf(documents) * BLOCK_DOCUMENTS) / 8).fill(0);
  for (let at = 0; at < dead.length; at++) bits[dead[at]! >> 3]! |= 1 << (dead[at]! & 7);
  return deadBits;
}
