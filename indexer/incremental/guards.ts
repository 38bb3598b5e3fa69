/** What stops a run before it changes anything: a source that lost its documents, an index that is somebody else's; and what to warn of after it. */

import { isolateBytesOf, placementOf } from "../../shared/engine/placement.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { blobsOf, type Manifest, residentBytesOf } from "../../shared/format/manifest.ts";
import { MEMORY_LIMITS, REQUEST_LIMITS } from "../../shared/limits.ts";
import type { Base } from "./base.ts";
import type { RunPlan } from "./plan.ts";

/** Share of an index's documents that a run may remove without being told so: a folder that is not mounted looks like an empty one. */
export const SHRINK_SHARE = 0.2;
/** Documents that may always be removed, so that small indexes can be worked on. */
const ALWAYS = 10;

/** Throws `source/shrank` where a run would remove more than it may. */
export function checkShrink(base: Base | null, { removed }: RunPlan, allowed: boolean, source: string): void {
  if (base === null || allowed || removed <= ALWAYS) return;
  const { documents } = base.manifest.counts;
  if (removed <= documents * SHRINK_SHARE) return;
  throw new LightedgeError(
    "source/shrank",
    `${source} lacks ${removed} of the ${documents} documents that the index has; more than ${SHRINK_SHARE * 100} % are not removed unasked. Nothing was changed. If they are meant to go, run again with --allow-shrink.`,
    { field: "allow-shrink", value: String(removed), limit: Math.floor(documents * SHRINK_SHARE) },
  );
}

/**
 * Throws `index/taken` where the index is kept by another configuration than `origin` (absent for a
 * run by hand). Two that publish to one index would each remove the other's documents.
 */
export function checkOrigin(base: Base | null, origin: string | undefined, takeOver: boolean): void {
  const owner = base?.manifest.build?.origin;
  if (owner === undefined || owner === origin || takeOver) return;
  const who = origin === undefined ? "This run is of none" : `This run is of ${JSON.stringify(origin)}`;
  throw new LightedgeError(
    "index/taken",
    `The index ${base!.manifest.index} is kept by the configuration ${JSON.stringify(owner)}. ${who}, and would remove the other's documents. Nothing was changed. To publish it from here on, run again with --take-over.`,
    { field: "take-over", value: owner },
  );
}

/**
 * What to tell whoever made a version that does not fit a Worker's own memory, or null: that its shards need Durable
 * Objects, or that no Worker will answer for it. In Node it can be searched all the same.
 */
export function sizeWarning(manifest: Manifest, limit: number = MEMORY_LIMITS.residentBytes): string | null {
  const { index } = manifest;
  if (placementOf(manifest, { budgetBytes: limit, objects: true }) === "isolate") return null;
  const shards = blobsOf(manifest, "shard").length;
  if (shards > REQUEST_LIMITS.shards)
    return `${index} has ${shards} shards, and a query may touch ${REQUEST_LIMITS.shards}: a Worker will answer index/too-many-shards. Divide the documents among several indexes.`;
  const here = isolateBytesOf(manifest, "objects");
  if (here > limit)
    return `${index} takes ${here} bytes of memory to serve, its shards aside, and a Worker has ${limit} for all of its indexes: it will answer index/too-large. Make the table smaller with --table-bytes.`;
  return `${index} takes ${residentBytesOf(manifest)} bytes of memory to serve, and a Worker has ${limit} for all of its indexes: its ${shards} shards will be in Durable Objects, which takes a query two calls of them. Where the Worker binds no SHARDS, it will answer index/too-large.`;
}
