/** Where the shards of an index are kept, chosen by what its manifest says it takes. */
import { type BlobEntry, type Manifest, residentBytesOf } from "../format/manifest.ts";
import { PAGE_BYTES, SCRATCH_BYTES } from "../kernels/memory.ts";
import type { Placement } from "../types.ts";

/** What the choice depends on. */
export interface PlacementOptions {
  /** Bytes for the indexes of an isolate. */
  readonly budgetBytes: number;
  /** Whether there are objects that shards can be kept in. */
  readonly objects: boolean;
}

/**
 * In the isolate where all of the index fits its budget: no hop is quicker than the shortest. Else in objects where
 * there are some. It does not depend on what else is loaded, or the same index would be here today and there tomorrow.
 */
export function placementOf(
  manifest: Pick<Manifest, "blobs">,
  { budgetBytes, objects }: PlacementOptions,
): Placement {
  return objects && residentBytesOf(manifest) > budgetBytes ? "objects" : "isolate";
}

/** Bytes of memory that an index takes in the isolate that answers, about. */
export function isolateBytesOf({ blobs }: Pick<Manifest, "blobs">, placement: Placement): number {
  return residentBytesOf({ blobs: loadedHere(blobs, placement) });
}

/** Parts that have a kernel memory of their own. */
const WITH_MEMORY: readonly BlobEntry["role"][] = ["table", "clusters", "shard"];

/** Bytes to make free before it is loaded: as above, and what memories of kernels take beside their content, a whole page at most and scratch. */
export function roomFor(manifest: Pick<Manifest, "blobs">, placement: Placement): number {
  const memories = loadedHere(manifest.blobs, placement).filter(({ role }) => WITH_MEMORY.includes(role));
  return isolateBytesOf(manifest, placement) + memories.length * (SCRATCH_BYTES + PAGE_BYTES);
}

/** What the isolate that answers loads. */
function loadedHere(blobs: readonly BlobEntry[], placement: Placement): readonly BlobEntry[] {
  const away: readonly BlobEntry["role"][] = placement === "objects" ? ["shard", "tombstones"] : [];
  return blobs.filter(({ role }) => !away.includes(role));
}
