/**
 * Publishing: everything new is written under the digest of its bytes, then one conditional
 * write of the pointer makes it the current version. Until then readers see the old version
 * whole, afterwards the new one. Nothing here ever deletes.
 */

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { LightedgeError } from "../../shared/errors.ts";
import {
  type ManifestReference,
  POINTER_FORMAT,
  type Pointer,
  type StoredPointer,
  withCheck,
} from "../../shared/format/pointer.ts";
import { type Sha256, sha256, toHex } from "../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { blobKey, checkIndexName, manifestKey } from "../../shared/store/keys.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { register } from "../../shared/versions/registry.ts";
import { createContent } from "./content.ts";
import { type NeededBlob, type SettlePorts, settle } from "./settle.ts";
import { type SwapOutcome, swap } from "./swap.ts";

export { readPointer } from "../../shared/versions/current.ts";

/** Times that a collection may touch the pointer before a commit gives up. It does so every quarter of an hour at most. */
const TOUCHES = 5;

/** A blob in the store. */
export interface PutBlob {
  readonly key: string;
  readonly sha256: Sha256;
  readonly bytes: number;
  /** False where the store had it already. */
  readonly written: boolean;
}

/** What publishing takes from the world around it. */
export interface PublishPorts extends SettlePorts {
  randomBytes(length: number): Uint8Array;
}

/** A version to make current. */
export interface CommitRequest {
  /** The manifest's text as UTF-8. */
  readonly manifest: Uint8Array<ArrayBuffer>;
  /** Every blob that the manifest names and the base does not. All must be there, with these lengths, before the pointer moves. */
  readonly blobs: readonly NeededBlob[];
  /**
   * The version that the new one was built upon, null for none. If another has been
   * committed since, the answer is conflict. Left out: whatever is current now.
   */
  readonly base?: StoredPointer | null;
}

/** What became of a commit. */
export type CommitOutcome =
  | {
      readonly kind: "committed";
      readonly pointer: Pointer;
      /** Bytes of blobs that lay there, too old to rely on, and were written again. */
      readonly refreshed: number;
    }
  /** Another writer's version is current. Ours is stored but nothing names it. */
  | { readonly kind: "conflict" }
  /** The write may or may not have happened, or may yet. Look again before doing anything, and delete nothing. */
  | { readonly kind: "unknown"; readonly cause: unknown };

/** The real randomness and the real time. */
export const PUBLISH_PORTS: PublishPorts = {
  randomBytes,
  pause: (milliseconds) => pause(milliseconds),
};

/** Stores bytes under their digest, if they are not there yet. */
export async function putBlob(store: WriteStore, bytes: Uint8Array<ArrayBuffer>): Promise<PutBlob> {
  const digest = await sha256(bytes);
  const key = blobKey(digest);
  return { key, sha256: digest, bytes: bytes.length, written: await putContent(store, key, bytes) };
}

/**
 * Makes a manifest the current version of an index. Throws `blob/missing` or `blob/corrupt`,
 * before anything changes, for a blob that is absent or has another length, and whatever the
 * store throws before the pointer is touched. From then on the outcome says it all.
 */
export async function commit(
  store: WriteStore,
  index: string,
  request: CommitRequest,
  ports: PublishPorts = PUBLISH_PORTS,
): Promise<CommitOutcome> {
  checkIndexName(index);
  const manifest = await referenceTo(index, request.manifest);
  let base = request.base === undefined ? await readPointer(store, index) : request.base;
  // First of all: a collection that cannot see the index by its name stops short of deleting.
  await register(store, index, ports);
  let refreshed = 0;
  for (let touches = 0; touches <= TOUCHES; touches++) {
    const { blobs } = request;
    refreshed += await settle(
      store,
      { index, base, manifest: { key: manifest.key, body: request.manifest }, blobs },
      ports,
    );
    const pointer = withCheck({
      format: POINTER_FORMAT,
      seq: (base?.pointer.seq ?? 0) + 1,
      commit_id: toHex(ports.randomBytes(16)),
      parent: base?.pointer.manifest.sha256 ?? null,
      manifest,
    });
    const outcome: SwapOutcome = await swap(store, index, base, pointer, ports);
    if (outcome.kind === "committed") return { ...outcome, refreshed };
    if (outcome.kind !== "touched") return outcome;
    // What was settled was settled under the old pointer: once more, under the new one.
    base = outcome.current;
  }
  return { kind: "conflict" };
}

async function referenceTo(index: string, bytes: Uint8Array<ArrayBuffer>): Promise<ManifestReference> {
  if (bytes.length === 0 || bytes.length > FORMAT_LIMITS.manifestBytes) {
    throw new LightedgeError(
      "index/too-large",
      `The manifest of ${index} has ${bytes.length} bytes; 1 to ${FORMAT_LIMITS.manifestBytes} are allowed.`,
      { limit: FORMAT_LIMITS.manifestBytes },
    );
  }
  const digest = await sha256(bytes);
  return { key: manifestKey(index, digest), sha256: digest, bytes: bytes.length };
}

/** Writes bytes to the key that their digest gives. Whether anything had to be written. */
async function putContent(store: WriteStore, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let present = await store.head(key);
  if (present === null) {
    if (await createContent(store, key, bytes)) return true;
    present = await store.head(key);
  }
  if (present?.bytes === bytes.length) return false;
  // Another length under this digest is damage. Readers refuse it, so replacing it takes nothing from them.
  await store.put(key, bytes);
  return true;
}
