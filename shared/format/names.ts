/** Keys in the store, relative to the prefix that the store itself adds. docs/format.md section 1. */

import { isSha256, type Sha256 } from "../hash.ts";

/** One lower-case segment of a key that never looks like a digest's folder or a path. */
const INDEX_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Whether a text may name an index: 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit. */
export function isIndexName(name: string): boolean {
  return INDEX_NAME.test(name);
}

/** Where the bytes with this digest lie, whatever they are. */
export function blobKey(sha256: Sha256): string {
  return `blobs/${sha256}`;
}

/** Where this manifest of an index lies. */
export function manifestKey(index: string, sha256: Sha256): string {
  return `indexes/${index}/manifests/${sha256}.json`;
}

/** Where an index's pointer lies, the only object that changes. */
export function pointerKey(index: string): string {
  return `indexes/${index}/current.json`;
}

/**
 * A write at the edge: 13 digits of milliseconds since 1970, a dash, 16 random hexadecimal digits.
 * The order of the text is the order of the writes.
 */
export type WriteId = string & { readonly __brand: "WriteId" };

const WRITE_ID = /^[0-9]{13}-[0-9a-f]{16}$/;

/** Whether a text has the form of a write. */
export function isWriteId(text: string): text is WriteId {
  return WRITE_ID.test(text);
}

/** What the keys of all entries of an index's inbox begin with. */
export function inboxPrefix(index: string): string {
  return `indexes/${index}/inbox/`;
}

/** Where the entry of a write lies. */
export function inboxKey(index: string, write: WriteId): string {
  return `${inboxPrefix(index)}${write}.json`;
}

/** The write whose entry this key of an index's inbox is; null for a key of another shape, which is not ours. */
export function writeOfKey(index: string, key: string): WriteId | null {
  const prefix = inboxPrefix(index);
  if (!key.startsWith(prefix) || !key.endsWith(".json")) return null;
  const name = key.slice(prefix.length, -".json".length);
  return isWriteId(name) ? name : null;
}

/** The registry: which indexes the store holds. */
export const REGISTRY_KEY = "registry.json";

/** Written before garbage collection deletes anything; its `modified` says when that was. */
export const GC_CLOCK_KEY = "gc/clock.json";

/** Versions that replication passed over in this store: of them not all need be there. */
export const SKIPPED_KEY = "gc/skipped.json";

/** Written to be told the time by the store. */
export const GC_NOW_KEY = "gc/now.json";

/** What the keys of all blobs begin with. */
export const BLOB_PREFIX = "blobs/";

/** What the keys of all that belongs to one index begin with. */
export const INDEX_PREFIX = "indexes/";

/** The digest of the blob under this key; null for a key of another shape, which is not ours. */
export function digestOfBlob(key: string): Sha256 | null {
  if (!key.startsWith(BLOB_PREFIX)) return null;
  const digest = key.slice(BLOB_PREFIX.length);
  return isSha256(digest) ? digest : null;
}

/** The index and the digest of the manifest under this key; null for a key of another shape, which is not ours. */
export function manifestOfKey(key: string): { readonly index: string; readonly sha256: Sha256 } | null {
  const [indexes, index = "", manifests, name = "", ...more] = key.split("/");
  if (`${indexes}/` !== INDEX_PREFIX || manifests !== "manifests" || more.length > 0) return null;
  const sha256 = name.slice(0, -".json".length);
  if (!name.endsWith(".json") || !isIndexName(index) || !isSha256(sha256)) return null;
  return { index, sha256 };
}

/** How a version is written: in answers, on the command line, in logs. */
export function versionName(seq: number, sha256: string): string {
  return `${seq}-${sha256.slice(0, 8)}`;
}
