/** A store that lets something else happen just before, or just after, one chosen operation. */
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";

/** What happens in between. Its own operations do not count. */
export interface Hook {
  /** Number of the operation, from 0. */
  readonly at: number;
  /** After it, though before its answer is heard, where true. */
  readonly after?: boolean;
  work(): Promise<void>;
}

/** Another store as one client sees it. */
export class HookStore implements WriteStore {
  readonly #inner: WriteStore;
  readonly #hook: Hook;
  /** What was asked for so far: `method key`. */
  readonly log: string[] = [];

  constructor(inner: WriteStore, hook: Hook = { at: -1, work: async () => {} }) {
    this.#inner = inner;
    this.#hook = hook;
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
    const found = await this.#run(`list ${prefix}`, async () => {
      const all: ObjectInfo[] = [];
      for await (const info of this.#inner.list(prefix)) all.push(info);
      return all;
    });
    yield* found;
  }
  delete(key: string): Promise<void> {
    return this.#run(`delete ${key}`, () => this.#inner.delete(key));
  }

  async #run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const { at, after = false, work } = this.#hook;
    const due = this.log.push(name) - 1 === at;
    if (due && !after) await work();
    const answer = await operation();
    if (due && after) await work();
    return answer;
  }
}
