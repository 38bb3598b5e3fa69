import { LightedgeError } from "../../shared/errors.ts";
import { checkKey, checkPrefix, isKey } from "../../shared/store/keys.ts";
import { checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";
import { Retries, type RetryPorts, type RetryRule } from "./retry.ts";
import { type FailureKind, S3Failure, storeError } from "./s3-failure.ts";
import type { S3Location } from "./s3-location.ts";
import { type Condition, S3Requests } from "./s3-requests.ts";
import { type Alarm, type S3Patience, S3Sender } from "./s3-session.ts";
import { type S3Parts, uploadInParts } from "./s3-upload.ts";

/** What can be set for a store in a bucket. */
export interface S3Settings {
  readonly patience: S3Patience;
  readonly parts: S3Parts;
  readonly retry: RetryRule;
  /** Instead of the rule's, for deletes. */
  readonly deleteWithinMs: number;
}

/** What the store takes from the world around it; what is left out is the real thing. */
export interface S3Ports {
  readonly retry?: RetryPorts;
  readonly alarm?: Alarm;
}

/** Settings that suit a store reached over the internet, each with its reason. */
export const S3_SETTINGS: S3Settings = {
  // Stores answer within a second; 2 Mbit/s is the slowest line that an index is published over.
  patience: { requestMs: 30_000, leastBytesPerSecond: 256 * 1024 },
  // Most blobs are smaller and go in one request. A part that fails costs a minute on that line to send again.
  parts: { bytes: 16 * 1024 * 1024, atOnce: 4 },
  // The waits add up to four seconds and more: R2 takes one write a second for a key.
  retry: { tries: 5, firstWaitMs: 500, longestWaitMs: 4000, withinMs: 120_000 },
  // A collector's deletes must not come late, when what they delete may be wanted again.
  deleteWithinMs: 30_000,
};

const SAFE_ONCE: readonly FailureKind[] = ["busy"];
const SAFE_TWICE: readonly FailureKind[] = ["busy", "unclear"];
/** Etags that may stand in a condition. A wildcard or a list would match versions that the caller has never seen. */
const ETAG = /^[\w.+/=:-]{1,256}$/;

/**
 * A store in a bucket of Amazon S3, of Cloudflare R2, or of anything else that speaks the S3 API and
 * honours conditional writes; `probeStore` finds out. Nothing is sent before the first call.
 *
 * Reads, deletes and unconditional writes that fail are tried again, out of one budget. A
 * conditional write is tried again only where the store says that it did nothing: otherwise it is
 * `store/unavailable` and may have happened, which only its caller can find out. What the store
 * refuses for good, such as wrong keys, is `store/denied` and was not done.
 */
export class S3Store implements WriteStore {
  readonly #place: S3Location;
  readonly #settings: S3Settings;
  readonly #requests: S3Requests;
  readonly #retries: Retries;

  constructor(place: S3Location, settings: S3Settings = S3_SETTINGS, ports: S3Ports = {}) {
    this.#place = place;
    this.#settings = settings;
    this.#requests = new S3Requests(place, new S3Sender(place, settings.patience, ports.alarm));
    this.#retries = new Retries(ports.retry);
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    return this.#call("read", key, SAFE_TWICE, () => this.#requests.get(key));
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    checkKey(key);
    checkRange(key, offset, length);
    const bytes = await this.#call("read", key, SAFE_TWICE, async () => {
      try {
        return length === 0 ? "beyond" : await this.#requests.getRange(key, offset, length);
      } catch (error) {
        if (error instanceof S3Failure && error.kind === "range") return "beyond";
        throw error;
      }
    });
    if (bytes !== "beyond") return bytes;
    // The API has no empty ranges, and of one that begins past the end it does not tell the size.
    const info = await this.head(key);
    if (info === null) return null;
    checkRange(key, offset, length, info.bytes);
    if (length === 0) return new Uint8Array(0);
    throw new LightedgeError("store/unavailable", `${key} changed while it was read.`, { blob: key });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    checkKey(key);
    return this.#call("read", key, SAFE_TWICE, () => this.#requests.head(key));
  }

  /** Costs one more request than a conditional write, for the time of it, which no answer to a write holds. */
  async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    checkKey(key);
    const bytes = body.slice();
    const etag = await this.#call("write", key, SAFE_TWICE, () => this.#write(key, bytes, "none"));
    const info = await this.head(key);
    if (info === null) {
      throw new LightedgeError("store/unavailable", `${key} is gone right after it was written.`, {
        blob: key,
      });
    }
    // Where another writer came in between, the time is the later one.
    return { key, bytes: bytes.length, etag, modified: info.modified };
  }

  async putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    checkKey(key);
    return this.#putIf(key, body.slice(), "absent");
  }

  async putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    checkKey(key);
    if (!ETAG.test(etag)) return { kind: "conflict" };
    return this.#putIf(key, body.slice(), { etag });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix);
    const seen = new Set<string>();
    let token: string | undefined;
    let last = "";
    do {
      const page = await this.#call("list", prefix, SAFE_TWICE, () => this.#requests.list(prefix, token));
      for (const info of page.objects) {
        // What is not of our alphabet belongs to somebody who shares the bucket.
        if (!isKey(info.key)) continue;
        if (info.key <= last) throw this.#badListing(prefix, `has ${info.key} after ${last}`);
        last = info.key;
        yield info;
      }
      token = page.next;
      if (token !== undefined && seen.has(token)) throw this.#badListing(prefix, "goes round in a circle");
      if (token !== undefined) seen.add(token);
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    const rule = { ...this.#settings.retry, withinMs: this.#settings.deleteWithinMs };
    return this.#call("delete", key, SAFE_TWICE, () => this.#requests.delete(key), rule);
  }

  async #putIf(key: string, body: Uint8Array<ArrayBuffer>, condition: Condition): Promise<PutOutcome> {
    return this.#call("write", key, SAFE_ONCE, async () => {
      try {
        return { kind: "written", etag: await this.#write(key, body, condition) };
      } catch (error) {
        // A version that must be there and is gone is answered by 404.
        if (error instanceof S3Failure && (error.kind === "condition" || error.kind === "absent")) {
          return { kind: "conflict" };
        }
        throw error;
      }
    });
  }

  #write(key: string, body: Uint8Array<ArrayBuffer>, condition: Condition): Promise<string> {
    const { parts, retry } = this.#settings;
    if (body.length <= parts.bytes) return this.#requests.put(key, body, condition);
    return uploadInParts(this.#requests, key, body, condition, parts, (work) =>
      this.#retries.run(retry, waitFor(SAFE_TWICE), work),
    );
  }

  async #call<T>(
    deed: "read" | "write" | "list" | "delete",
    key: string,
    safe: readonly FailureKind[],
    work: () => Promise<T>,
    rule: RetryRule = this.#settings.retry,
  ): Promise<T> {
    try {
      return await this.#retries.run(rule, waitFor(safe), work);
    } catch (error) {
      throw error instanceof S3Failure ? storeError(error, this.#place, deed, key) : error;
    }
  }

  #badListing(prefix: string, what: string): LightedgeError {
    const message = `The listing of ${this.#place.bucket} below ${JSON.stringify(prefix)} ${what}; it cannot be trusted.`;
    return new LightedgeError("store/unavailable", message);
  }
}

function waitFor(safe: readonly FailureKind[]): (error: unknown) => number | null {
  return (error) => (error instanceof S3Failure && safe.includes(error.kind) ? error.waitMs : null);
}
