/** Keys in the store, relative to the prefix that the store itself adds. docs/format.md section 1. */

import type { Sha256 } from "../hash.ts";

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
