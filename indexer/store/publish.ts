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
  parsePointer,
  type StoredPointer,
  serializePointer,
} from "../../shared/format/pointer.ts";
import { type Sha256, sha256, toHex } from "../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { blobKey, checkIndexName, manifestKey, pointerKey } from "../../shared/store/keys.ts";
import type { PutOutcome, ReadStore, WriteStore } from "../../shared/store/store.ts";

/** Requests on their way at once while blobs are looked up. */
const LOOKUPS = 8;
/** Tries of the conditional write. R2 takes one write a second for a key, so the waits add up to three. */
const SWAP_WAITS_MS = [0, 1000, 2000];

/** A blob in the store. */
export interface PutBlob {
  readonly key: string;
  readonly sha256: Sha256;
  readonly bytes: number;
  /** False where the store had it already. */
  readonly written: boolean;
}

/** What publishing takes from the world around it. */
export interface PublishPorts {
  randomBytes(length: number): Uint8Array;
  /** Resolves after this many milliseconds. */
  pause(milliseconds: number): Promise<void>;
}

/** A version to make current. */
export interface CommitRequest {
  /** The manifest's text as UTF-8. */
  readonly manifest: Uint8Array<ArrayBuffer>;
  /** Every blob that the manifest names. All must be there, with these lengths, before the pointer moves. */
  readonly blobs: readonly { readonly key: string; readonly bytes: number }[];
  /**
   * The version that the new one was built upon, null for none. If another has been
   * committed since, the answer is conflict. Left out: whatever is current now.
   */
  readonly base?: StoredPointer | null;
}

/** What became of a commit. */
export type CommitOutcome =
  | { readonly kind: "committed"; readonly pointer: Pointer }
  /** Another writer's version is current. Ours is stored but nothing names it. */
  | { readonly kind: "conflict" }
  /** The write may or may not have happened, or may yet. Look again before doing anything, and delete nothing. */
  | { readonly kind: "unknown"; readonly cause: unknown };

const PORTS: PublishPorts = { randomBytes, pause: (milliseconds) => pause(milliseconds) };

/** Stores bytes under their digest, if they are not there yet. */
export async function putBlob(store: WriteStore, bytes: Uint8Array<ArrayBuffer>): Promise<PutBlob> {
  const digest = await sha256(bytes);
  const key = blobKey(digest);
  return { key, sha256: digest, bytes: bytes.length, written: await putContent(store, key, bytes) };
}

/** The current version of an index, or null where there is none. Throws what `parsePointer` does. */
export async function readPointer(store: ReadStore, index: string): Promise<StoredPointer | null> {
  checkIndexName(index);
  const found = await store.get(pointerKey(index));
  return found === null ? null : { pointer: parsePointer(found.body, index), etag: found.etag };
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
  ports: PublishPorts = PORTS,
): Promise<CommitOutcome> {
  checkIndexName(index);
  const manifest = await putManifest(store, index, request.manifest);
  await checkBlobs(store, request.blobs);
  const base = request.base === undefined ? await readPointer(store, index) : request.base;
  const pointer: Pointer = {
    format: POINTER_FORMAT,
    seq: (base?.pointer.seq ?? 0) + 1,
    commit_id: toHex(ports.randomBytes(16)),
    parent: base?.pointer.manifest.sha256 ?? null,
    manifest,
  };
  return swap(store, index, base, pointer, ports);
}

/**
 * Moves the pointer, and finds out what happened where the store does not say. A conflict
 * may be our own: a client below us that repeats a request whose answer was lost is refused
 * by what it wrote itself. So both a conflict and an error are settled by reading.
 */
async function swap(
  store: WriteStore,
  index: string,
  base: StoredPointer | null,
  pointer: Pointer,
  ports: PublishPorts,
): Promise<CommitOutcome> {
  const body = serializePointer(pointer);
  const key = pointerKey(index);
  let cause: unknown;
  for (const wait of SWAP_WAITS_MS) {
    if (wait > 0) await ports.pause(wait);
    let outcome: PutOutcome | undefined;
    try {
      outcome = await (base === null ? store.putIfAbsent(key, body) : store.putIfMatch(key, body, base.etag));
    } catch (error) {
      cause = error;
    }
    if (outcome?.kind === "written") return { kind: "committed", pointer };
    try {
      const current = await readPointer(store, index);
      if (current !== null && includes(current.pointer, pointer)) return { kind: "committed", pointer };
      if (outcome?.kind === "conflict" || current?.etag !== base?.etag) return { kind: "conflict" };
      // The base still stands, so the write was lost or is late: the same bytes again, with
      // the same commit id, are refused or harmless if it lands after all.
    } catch (error) {
      return { kind: "unknown", cause: cause ?? error };
    }
  }
  return { kind: "unknown", cause };
}

/** Whether the current pointer is ours or was committed right on top of ours. */
function includes(current: Pointer, ours: Pointer): boolean {
  if (current.commit_id === ours.commit_id) return true;
  return current.seq === ours.seq + 1 && current.parent === ours.manifest.sha256;
}

async function putManifest(
  store: WriteStore,
  index: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ManifestReference> {
  if (bytes.length === 0 || bytes.length > FORMAT_LIMITS.manifestBytes) {
    throw new LightedgeError(
      "index/too-large",
      `The manifest of ${index} has ${bytes.length} bytes; 1 to ${FORMAT_LIMITS.manifestBytes} are allowed.`,
      { limit: FORMAT_LIMITS.manifestBytes },
    );
  }
  const digest = await sha256(bytes);
  const key = manifestKey(index, digest);
  await putContent(store, key, bytes);
  return { key, sha256: digest, bytes: bytes.length };
}

/** Writes bytes to the key that their digest gives. Whether anything had to be written. */
async function putContent(store: WriteStore, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let present = await store.head(key);
  if (present === null) {
    const outcome = await store.putIfAbsent(key, bytes);
    if (outcome.kind === "written") return true;
    present = await store.head(key);
  }
  if (present?.bytes === bytes.length) return false;
  // Another length under this digest is damage. Readers refuse it, so replacing it takes nothing from them.
  await store.put(key, bytes);
  return true;
}

async function checkBlobs(store: ReadStore, blobs: CommitRequest["blobs"]): Promise<void> {
  for (let at = 0; at < blobs.length; at += LOOKUPS) {
    await Promise.all(blobs.slice(at, at + LOOKUPS).map((blob) => checkBlob(store, blob.key, blob.bytes)));
  }
}

async function checkBlob(store: ReadStore, key: string, bytes: number): Promise<void> {
  const info = await store.head(key);
  if (info === null) {
    throw new LightedgeError("blob/missing", `${key} is not in the store, so nothing was published.`, {
      blob: key,
    });
  }
  if (info.bytes !== bytes) {
    throw new LightedgeError(
      "blob/corrupt",
      `${key} has ${info.bytes} bytes where ${bytes} were written, so nothing was published.`,
      { blob: key },
    );
  }
}
