import { sha256 } from "../hash.ts";
import { checkKey, checkPrefix } from "./keys.ts";
import { checkRange } from "./range.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "./store.ts";

interface Entry {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly modified: number;
}

/**
 * A store in memory, for tests and for examples. Bytes are copied on the way in and on
 * the way out, so nobody holds a buffer of the store's. Etags are digests of the content.
 */
export class MemoryStore implements WriteStore {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  /** `now` is the store's clock, in ms since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    const entry = this.#entries.get(key);
    return entry === undefined ? null : { ...info(key, entry), body: entry.body.slice() };
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    checkKey(key);
    checkRange(key, offset, length);
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    checkRange(key, offset, length, entry.body.length);
    return entry.body.slice(offset, offset + length);
  }

  async head(key: string): Promise<ObjectInfo | null> {
    checkKey(key);
    const entry = this.#entries.get(key);
    return entry === undefined ? null : info(key, entry);
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    checkKey(key);
    const entry = await this.#entryOf(body);
    this.#entries.set(key, entry);
    return info(key, entry);
  }

  async putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    checkKey(key);
    const entry = await this.#entryOf(body);
    // No await from here to the write: other callers run only between awaits.
    if (this.#entries.has(key)) return { kind: "conflict" };
    this.#entries.set(key, entry);
    return { kind: "written", etag: entry.etag };
  }

  async putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    checkKey(key);
    const entry = await this.#entryOf(body);
    // No await from here to the write, as above.
    if (this.#entries.get(key)?.etag !== etag) return { kind: "conflict" };
    this.#entries.set(key, entry);
    return { kind: "written", etag: entry.etag };
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix);
    // The default order of sort is that of code units.
    const keys = [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield info(key, entry);
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    this.#entries.delete(key);
  }

  async #entryOf(body: Uint8Array<ArrayBuffer>): Promise<Entry> {
    const copy = body.slice();
    return { body: copy, etag: await sha256(copy), modified: this.#now() };
  }
}

function info(key: string, { body, etag, modified }: Entry): ObjectInfo {
  return { key, bytes: body.length, etag, modified };
}
