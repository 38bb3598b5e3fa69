/** A store whose errors say which region it belongs to: a run speaks to several, and the stores do not know. */
import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";

/** A region's store with its name before the message of every error, cause and details kept. */
export class NamedStore implements WriteStore {
  readonly #inner: WriteStore;
  readonly #region: string;

  constructor(inner: WriteStore, region: string) {
    this.#inner = inner;
    this.#region = region;
  }

  get(key: string): Promise<StoredObject | null> {
    return this.#say(() => this.#inner.get(key));
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#say(() => this.#inner.getRange(key, offset, length));
  }
  head(key: string): Promise<ObjectInfo | null> {
    return this.#say(() => this.#inner.head(key));
  }
  put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    return this.#say(() => this.#inner.put(key, body));
  }
  putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    return this.#say(() => this.#inner.putIfAbsent(key, body));
  }
  putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    return this.#say(() => this.#inner.putIfMatch(key, body, etag));
  }
  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    try {
      yield* this.#inner.list(prefix);
    } catch (error) {
      throw this.#named(error);
    }
  }
  delete(key: string): Promise<void> {
    return this.#say(() => this.#inner.delete(key));
  }

  async #say<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#named(error);
    }
  }

  #named(error: unknown): LightedgeError {
    const { code, message, details } = asLightedgeError(error);
    return new LightedgeError(code, `The store of ${this.#region}: ${message}`, details, error);
  }
}
