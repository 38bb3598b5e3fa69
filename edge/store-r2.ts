import { checkKey } from "../shared/store/keys.ts";
import { checkLength, checkRange } from "../shared/store/range.ts";
import type { ObjectInfo, ReadStore, StoredObject } from "../shared/store/store.ts";
import { bytesOfBody } from "./body-bytes.ts";
import { readTwice } from "./read-twice.ts";

/**
 * Reads an R2 bucket through its binding. Never through the Cache API, which does not see
 * overwrites. A read that fails is repeated once; then it is `store/unavailable`.
 */
export class R2Store implements ReadStore {
  readonly #bucket: R2Bucket;
  readonly #backoffMs: number | undefined;

  /** `backoffMs` is the pause before a second try. */
  constructor(bucket: R2Bucket, backoffMs?: number) {
    this.#bucket = bucket;
    this.#backoffMs = backoffMs;
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    return this.#read(key, async () => {
      const found = await this.#bucket.get(key);
      if (found === null) return null;
      const body = await bytesOfBody(found.body, found.size);
      checkLength(key, found.size, body.length);
      return { ...infoOf(found), body };
    });
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    checkKey(key);
    checkRange(key, offset, length);
    try {
      // R2 has no empty ranges; whether one lies inside is a question about the size alone.
      if (length > 0) return await this.#read(key, () => this.#part(key, offset, length));
    } catch (error) {
      // A range that begins at or past the end is an unspecified error to R2. Only the size tells.
      const info = await this.head(key);
      if (info !== null) checkRange(key, offset, length, info.bytes);
      throw error;
    }
    const info = await this.head(key);
    if (info === null) return null;
    checkRange(key, offset, 0, info.bytes);
    return new Uint8Array(0);
  }

  async head(key: string): Promise<ObjectInfo | null> {
    checkKey(key);
    return this.#read(key, async () => {
      const found = await this.#bucket.head(key);
      return found === null ? null : infoOf(found);
    });
  }

  async #part(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const found = await this.#bucket.get(key, { range: { offset, length } });
    if (found === null) return null;
    // R2 cuts a range that goes past the end and says nothing, so the length is ours to check.
    const body = await bytesOfBody(found.body, length);
    checkRange(key, offset, length, found.size);
    checkLength(key, length, body.length);
    return body;
  }

  #read<T>(key: string, read: () => Promise<T>): Promise<T> {
    return readTwice(key, read, this.#backoffMs);
  }
}

/** The facts of an R2 object in the words of the store's contract. */
export function infoOf({ key, size, etag, uploaded }: R2Object): ObjectInfo {
  return { key, bytes: size, etag, modified: uploaded.getTime() };
}
