/** The shared store as one process sees it: every operation waits for its turn. */
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";
import type { Life } from "./life.ts";

/**
 * Time within which a delete lands that was sent, in ms: the one thing that garbage collection takes for
 * granted of the world (`indexer/store/gc.ts`). It covers a process that is put to sleep on its way to sending.
 */
export const DELETE_LANDS_MS = 100_000;
/** What all processes look at: pointers, the registry, the clock of collections. */
const SHARED = /(?:current|registry|clock)\.json$/u;
/** Keys of a page of a listing: few, so that much can happen between two pages. */
const PAGE = 5;

/** A client of the shared store. */
export class GateStore implements WriteStore {
  readonly #shared: WriteStore;
  readonly #life: Life;
  #direct = false;

  constructor(shared: WriteStore, life: Life) {
    this.#shared = shared;
    this.#life = life;
  }

  get(key: string): Promise<StoredObject | null> {
    return this.#turn(`get ${key}`, () => this.#shared.get(key), { isCritical: SHARED.test(key) });
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#turn(`getRange ${key}`, () => this.#shared.getRange(key, offset, length));
  }
  head(key: string): Promise<ObjectInfo | null> {
    return this.#turn(`head ${key}`, () => this.#shared.head(key));
  }
  put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    const sent = body.slice();
    return this.#turn(`put ${key}`, () => this.#shared.put(key, sent), { isCritical: SHARED.test(key) });
  }
  putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    const sent = body.slice();
    return this.#turn(`putIfAbsent ${key}`, () => this.#shared.putIfAbsent(key, sent), {
      isCritical: SHARED.test(key),
    });
  }
  putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    const sent = body.slice();
    return this.#turn(`putIfMatch ${key}`, () => this.#shared.putIfMatch(key, sent, etag), {
      isCritical: true,
    });
  }
  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    for (let after = ""; ; ) {
      const page = await this.#turn(`list ${prefix} after ${after}`, () => this.#page(prefix, after));
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.key;
    }
  }
  delete(key: string): Promise<void> {
    const when = { within: DELETE_LANDS_MS, isCritical: true };
    return this.#turn(`delete ${key}`, () => this.#shared.delete(key), when);
  }

  /** Starts a request that lands at once, whatever became of who sent it. */
  landing<T>(request: () => Promise<T>): Promise<T> {
    this.#direct = true;
    try {
      return request();
    } finally {
      this.#direct = false;
    }
  }

  #turn<T>(label: string, work: () => Promise<T>, when: Parameters<Life["turn"]>[2] = {}): Promise<T> {
    return this.#direct ? work() : this.#life.turn(label, work, when);
  }

  async #page(prefix: string, after: string): Promise<ObjectInfo[]> {
    const page: ObjectInfo[] = [];
    for await (const info of this.#shared.list(prefix)) {
      if (info.key > after) page.push(info);
      if (page.length === PAGE) break;
    }
    return page;
  }
}
