/** A store that breaks at one chosen operation, to find out what is left of the work around it. */
import { LightedgeError } from "../../shared/errors.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";

/**
 * How an operation breaks: before it did anything, after it did all (only its answer is
 * lost), or with it and everything after it gone, as when the process dies.
 */
export type Fault = "fail before" | "fail after" | "crash" | "crash after";
/** Every way to break. */
export const FAULTS = [
  "fail before",
  "fail after",
  "crash",
  "crash after",
] as const satisfies readonly Fault[];

/** Another store, of which operation number `at` (from 0) breaks. */
export class FaultStore implements WriteStore {
  readonly #inner: WriteStore;
  readonly #at: number;
  readonly #fault: Fault;
  /** What was asked for so far: `method key`. */
  readonly log: string[] = [];

  constructor(inner: WriteStore, at = Number.POSITIVE_INFINITY, fault: Fault = "fail before") {
    this.#inner = inner;
    this.#at = at;
    this.#fault = fault;
  }

  get(key: string): Promise<StoredObject | null> {
    return this.#run(`get ${key}`, () => this.#inner.get(key));
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#run(`getRange ${key}`, () => this.#inner.getRange(key, offset, length));
  }
  head(key: string): Promise<ObjectInfo | null> {
    return this.#run(`head ${key}`, () => this.#inner.head(key));
  }
  put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    return this.#run(`put ${key}`, () => this.#inner.put(key, body));
  }
  putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    return this.#run(`putIfAbsent ${key}`, () => this.#inner.putIfAbsent(key, body));
  }
  putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    return this.#run(`putIfMatch ${key}`, () => this.#inner.putIfMatch(key, body, etag));
  }
  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    await this.#run(`list ${prefix}`, async () => {});
    yield* this.#inner.list(prefix);
  }
  delete(key: string): Promise<void> {
    return this.#run(`delete ${key}`, () => this.#inner.delete(key));
  }

  async #run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const number = this.log.push(name) - 1;
    const crashes = this.#fault.startsWith("crash");
    const breaks = number === this.#at || (crashes && number > this.#at);
    if (!breaks) return operation();
    if (number === this.#at && this.#fault.endsWith("after")) await operation();
    throw new LightedgeError("store/unavailable", `Operation ${number} broke: ${this.#fault}.`);
  }
}
