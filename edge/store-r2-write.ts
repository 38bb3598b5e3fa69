import { LightedgeError } from "../shared/errors.ts";
import { checkKey, checkPrefix, isKey } from "../shared/store/keys.ts";
import type { ObjectInfo, PutOutcome, WriteStore } from "../shared/store/store.ts";
import { readTwice } from "./read-twice.ts";
import { infoOf, R2Store } from "./store-r2.ts";

/**
 * Writes an R2 bucket through its binding. Whatever answers requests never holds one; the
 * Worker's scheduled collection does. Writes are not repeated here: after an error a conditional write may have happened,
 * and only its caller can tell. R2 takes one write a second for a key.
 */
export class R2WriteStore extends R2Store implements WriteStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket, backoffMs?: number) {
    super(bucket, backoffMs);
    this.#bucket = bucket;
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    checkKey(key);
    // Copied, since the caller may write into its buffer while the upload is on its way.
    return infoOf(await writing(key, this.#bucket.put(key, body.slice(), {})));
  }

  async putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    checkKey(key);
    return this.#putIf(key, body, { etagDoesNotMatch: "*" });
  }

  async putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    checkKey(key);
    // A wildcard or a list would match versions that the caller has never seen.
    if (!/^[\w-]+$/.test(etag)) return { kind: "conflict" };
    return this.#putIf(key, body, { etagMatches: etag });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix);
    let cursor: string | undefined;
    do {
      const options = cursor === undefined ? { prefix } : { prefix, cursor };
      const page = await readTwice(prefix, () => this.#bucket.list(options));
      // Keys that are not of our alphabet belong to somebody who shares the bucket.
      for (const found of page.objects) if (isKey(found.key)) yield infoOf(found);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await writing(key, this.#bucket.delete(key));
  }

  async #putIf(key: string, body: Uint8Array<ArrayBuffer>, onlyIf: R2Conditional): Promise<PutOutcome> {
    const put: Promise<R2Object | null> = this.#bucket.put(key, body.slice(), { onlyIf });
    const written = await writing(key, put);
    return written === null ? { kind: "conflict" } : { kind: "written", etag: written.etag };
  }
}

async function writing<T>(key: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const message = `The object store failed while ${key} was written; it may or may not have been.`;
    throw new LightedgeError("store/unavailable", message, { blob: key }, error);
  }
}
