/** Shards as they lie in memory, ready for the kernels. */
import { align } from "../format/bytes.ts";
import { openStreamed } from "../format/load.ts";
import type { BlobEntry } from "../format/manifest.ts";
import { type HotShardFile, readShard, readShardMeta, type ShardMeta } from "../format/shard.ts";
import { AS_ONE, type StreamLimits } from "../format/streamed.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
import { PAGE_BYTES, SCRATCH_BYTES } from "../kernels/memory.ts";
import type { ReadStore } from "../store/store.ts";
import { claim, spaceIn } from "./claim.ts";
import { codeLengths, layCodes, type ResidentCodes, SCAN_BATCH } from "./codes.ts";
import { type ColdSections, coldInMemory } from "./cold-sections.ts";
import {
  layPostings,
  mostPostingBytes,
  planPostings,
  postingBytes,
  postingLengths,
  type ResidentPostings,
} from "./postings.ts";

/** A shard in its own kernel memory, its cold sections there too or elsewhere. */
export interface ResidentShard {
  readonly meta: ShardMeta;
  readonly kernels: Kernels;
  /** First chunk of each document, one entry more than there are documents. */
  readonly owners: Uint32Array<ArrayBuffer>;
  readonly codes: ResidentCodes;
  readonly postings: ResidentPostings;
  readonly cold: ColdSections;
  /** Space that a query works in. */
  readonly work: {
    readonly planes: Pointer;
    readonly tables: Pointer;
    readonly query: Pointer;
    /** Estimates of `SCAN_BATCH` codes. */
    readonly estimates: Pointer;
    /** The greatest estimate of each document, and which documents have one. */
    readonly best: Pointer;
    readonly seen: Pointer;
    /** Numbers of the documents seen, 16 bits. */
    readonly found: Pointer;
    readonly rows: Pointer;
    readonly dots: Pointer;
  };
}

/** A shard without its cold sections. `batch` is space for this many vectors, where they come from elsewhere. */
export interface HotShard extends Omit<ResidentShard, "cold"> {
  readonly batch: Pointer;
}

/** Reads a shard to where it stays, cold sections and all. Throws what `openStreamed`, its reading and `readShard` throw. */
export async function loadShard(
  store: ReadStore,
  entry: BlobEntry,
  kernels: Kernels,
  limits: StreamLimits = AS_ONE,
): Promise<ResidentShard> {
  const file = await openStreamed(store, entry, limits);
  const meta = readShardMeta(file.meta);
  const lengths = hotLengths(meta);
  const at = claim(kernels, { ...lengths, vectors: file.bytes("vectors") });
  const { codes, factors, vectors, codeDocuments: _, ...work } = at;
  const { space, letGo } = passing(spaceIn(kernels, { codes, factors, vectors }));
  const shard = readShard(await file.readInto(space));
  const { owners, scales, ids, idStarts, places } = shard;
  const cold = coldInMemory({ meta, kernels, owners, scales, ids, idStarts, places, vectors, work });
  const resident = {
    ...{ meta, kernels, owners },
    codes: layCodes(kernels, shard, at),
    ...{ postings: claimPostings(kernels, shard), cold, work },
  };
  letGo();
  return resident;
}

/** Vectors of a batch, when they come from outside memory: what is copied in stays in the processor's cache until it is used. */
export const BATCH_VECTORS = 128;

/** Bytes of kernel memory that a shard takes at most without its cold sections. */
export function hotBytes(meta: ShardMeta): number {
  const lengths = { ...lengthsWithoutCold(meta), postings: mostPostingBytes(meta) };
  const bytes = Object.values(lengths).reduce((sum, length) => sum + align(length), SCRATCH_BYTES);
  return align(bytes, PAGE_BYTES);
}

/** Claims the space of a shard without its cold sections, which `fill` then reads its file's other sections into. */
export async function loadHotShard<T>(
  meta: ShardMeta,
  kernels: Kernels,
  fill: (space: (name: string, bytes: number) => Uint8Array<ArrayBuffer>) => Promise<HotShardFile & T>,
): Promise<{ readonly shard: HotShard; readonly file: HotShardFile & T }> {
  const at = claim(kernels, lengthsWithoutCold(meta));
  const { codes, factors, batch, codeDocuments: _, ...work } = at;
  const { space, letGo } = passing(spaceIn(kernels, { codes, factors }));
  const file = await fill(space);
  const shard = {
    ...{ meta, kernels, owners: file.owners },
    codes: layCodes(kernels, file, at),
    ...{ postings: claimPostings(kernels, file), batch, work },
  };
  letGo();
  return { shard, file };
}

/** Sections that are laid out anew and not read again. */
const LAID_OUT: readonly string[] = ["rows", "impacts"];

/**
 * A space that gives back what was laid out of it, when that is done: of a shard of 25,000 chunks 7 MiB, beside which the next
 * one would be read before a collection comes.
 */
function passing(space: (name: string, bytes: number) => Uint8Array<ArrayBuffer>) {
  const own: Uint8Array<ArrayBuffer>[] = [];
  return {
    space: (name: string, bytes: number) => {
      const array = space(name, bytes);
      if (LAID_OUT.includes(name)) own.push(array);
      return array;
    },
    letGo: () => {
      for (const { buffer } of own) buffer.transfer(0);
    },
  };
}

/** What a shard takes of kernel memory, cold sections aside, and postings, whose length only they themselves tell. */
function hotLengths(meta: ShardMeta) {
  const { chunks, padded } = meta;
  return {
    ...codeLengths(meta),
    query: padded * 2,
    rows: chunks * 4,
    dots: chunks * 4,
  };
}

/** As `hotLengths`, with space for the vectors of a batch in place of that for all chunks: lists are of a pool, or of a sample of a batch of codes. */
function lengthsWithoutCold(meta: ShardMeta) {
  return {
    ...hotLengths(meta),
    rows: 4 * Math.max(BATCH_VECTORS, Math.min(meta.chunks, SCAN_BATCH)),
    dots: 4 * BATCH_VECTORS,
    batch: BATCH_VECTORS * meta.padded,
  };
}

/** Lays a file's postings into new space. Views made before are none after. */
function claimPostings(kernels: Kernels, file: HotShardFile): ResidentPostings {
  const starts = planPostings(file);
  return layPostings(kernels, file, starts, claim(kernels, postingLengths(file.meta, starts)));
}

/** Bytes that this shard holds. */
export function residentShardBytes(shard: ResidentShard): number {
  return hotShardBytes(shard) + shard.cold.bytes;
}

/** Bytes that this shard holds without its cold sections. */
export function hotShardBytes({ kernels, owners, codes, postings }: Omit<HotShard, "batch">): number {
  const starts = codes.clusters?.byteLength ?? 0;
  return kernels.residentBytes + owners.byteLength + starts + postingBytes(postings);
}
