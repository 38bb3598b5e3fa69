/** What the tests of the format share: refusals as codes, a store that misbehaves, digests made again. */

import { type ErrorCode, LightedgeError } from "../../../shared/errors.ts";
import type { HeadDigest, WrittenFile } from "../../../shared/format/envelope.ts";
import { blobKey } from "../../../shared/format/names.ts";
import { type Sha256, sha256, sha256Bytes } from "../../../shared/hash.ts";
import type { ReadStore } from "../../../shared/store/store.ts";

/** The code of the LightedgeError that the action ends in, "none" when it succeeds. Other errors pass through. */
export async function refusal(action: () => unknown): Promise<ErrorCode | "none"> {
  try {
    await action();
    return "none";
  } catch (error) {
    if (error instanceof LightedgeError) return error.code;
    throw error;
  }
}

/** The same for what does not wait. */
export function refusalNow(action: () => unknown): ErrorCode | "none" {
  try {
    action();
    return "none";
  } catch (error) {
    if (error instanceof LightedgeError) return error.code;
    throw error;
  }
}

/** A manifest's entry for a file. */
export function entryOf<R extends object>(
  file: WrittenFile,
  role: R,
): R & { key: string; sha256: Sha256; bytes: number; head: HeadDigest } {
  return {
    ...role,
    key: blobKey(file.sha256),
    sha256: file.sha256,
    bytes: file.bytes.length,
    head: file.head,
  };
}

/** A copy with one bit turned over. */
export function flipped(bytes: Uint8Array<ArrayBuffer>, bit: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** A changed file with digests that fit it again: what a hostile writer would make. */
export async function resealed(
  file: WrittenFile,
  change: (bytes: Uint8Array<ArrayBuffer>, view: DataView) => void,
): Promise<WrittenFile> {
  const bytes = file.bytes.slice();
  const view = new DataView(bytes.buffer);
  change(bytes, view);
  const headBytes = file.head.bytes;
  const blocks = Math.ceil((bytes.length - headBytes) / 65_536);
  const digestsAt = 64 + Math.ceil(view.getUint32(12, true) / 64) * 64;
  for (let block = 0; block < blocks && digestsAt + 32 * (block + 1) <= headBytes; block += 1) {
    const start = headBytes + block * 65_536;
    bytes.set(await sha256Bytes(bytes.slice(start, start + 65_536)), digestsAt + 32 * block);
  }
  const head = { bytes: headBytes, sha256: await sha256(bytes.slice(0, headBytes)) };
  return { bytes, sha256: await sha256(bytes), head };
}

/** Objects in memory; `spoil` may change or drop what read number 0, 1, 2, ... gives. */
export function storeOf(
  objects: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  spoil: (body: Uint8Array<ArrayBuffer>, read: number) => Uint8Array<ArrayBuffer> | null = (body) => body,
): ReadStore & { readonly reads: readonly (readonly [string, number, number])[] } {
  const reads: [string, number, number][] = [];
  const read = (key: string, start: number, end?: number): Uint8Array<ArrayBuffer> | null => {
    const body = objects.get(key);
    reads.push([key, start, end ?? -1]);
    return body === undefined ? null : spoil(body.slice(start, end), reads.length - 1);
  };
  return {
    reads,
    async get(key) {
      const body = read(key, 0);
      return body === null ? null : { key, bytes: body.length, etag: "1", modified: 0, body };
    },
    async getRange(key, offset, length) {
      return read(key, offset, offset + length);
    },
    async head() {
      return null;
    },
  };
}
