/** Which texts may be keys. The keys that Lightedge itself makes are built in `shared/format/names.ts`. */

import { LightedgeError, printable } from "../errors.ts";
import { isIndexName } from "../format/names.ts";

export { blobKey, manifestKey, pointerKey } from "../format/names.ts";

/** Characters of a key; all are ASCII, so this is bytes too. Object stores allow 1,024, some file systems fewer. */
export const KEY_LENGTH = 512;
/** Characters of an index name, which is one segment of a key. */
export const INDEX_NAME_LENGTH = 63;

// Lower case and ASCII only: some file systems fold case, and object stores keep the
// composed and the decomposed form of one accented letter as two keys.
const ALPHABET = /^[a-z0-9._/-]*$/;

/**
 * Whether a text may be a key: 1 to 512 of `[a-z0-9._/-]`, no segment that is empty,
 * `.` or `..`. Such a key, appended to a folder, cannot leave it.
 */
export function isKey(text: string): boolean {
  return text.length <= KEY_LENGTH && ALPHABET.test(text) && text.split("/").every(isSegment);
}

/** Throws `store/invalid-key` unless the text may be a key. Every store calls it first, in every method. */
export function checkKey(key: string): void {
  if (!isKey(key)) throw invalidKey(key, "a key");
}

/** Throws `store/invalid-key` unless some key could begin with this text. The empty text is a prefix of all. */
export function checkPrefix(prefix: string): void {
  const folders = prefix.split("/").slice(0, -1);
  if (prefix.length > KEY_LENGTH || !ALPHABET.test(prefix) || !folders.every(isSegment)) {
    throw invalidKey(prefix, "a prefix of keys");
  }
}

/** Throws `request/invalid` naming the field `index` unless the text may name an index. */
export function checkIndexName(name: string): void {
  if (isIndexName(name)) return;
  throw new LightedgeError(
    "request/invalid",
    `${printable(name)} cannot name an index. Use 1 to ${INDEX_NAME_LENGTH} of a-z, 0-9, - and _, beginning with a letter or digit.`,
    { field: "index", value: printable(name), limit: INDEX_NAME_LENGTH },
  );
}

/** The error for an index that a store does not have. */
export function noIndexNamed(index: string): LightedgeError {
  return new LightedgeError("index/not-found", `There is no index named ${index}.`, {
    field: "index",
    value: index,
  });
}

function isSegment(segment: string): boolean {
  return segment !== "" && segment !== "." && segment !== "..";
}

function invalidKey(text: string, noun: string): LightedgeError {
  return new LightedgeError(
    "store/invalid-key",
    `${printable(text)} cannot be ${noun}. Keys are at most ${KEY_LENGTH} of a-z, 0-9, ., _, - and /, with no empty, . or .. segment.`,
    { value: printable(text), limit: KEY_LENGTH },
  );
}
