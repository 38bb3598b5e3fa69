/** Time that passes only when nothing else can: pauses of an hour take no time, and end in their order. */
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/** A clock, and pauses by it. Work that waits must wait by `pause` or by a store from `watched`. */
export class VirtualTime {
  readonly #sleepers = new Set<Sleeper>();
  #busy = 0;
  /** Milliseconds since the beginning. */
  now = 0;

  pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const sleeper: Sleeper = { at: this.now + milliseconds, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", wake);
    });

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = () => {
      done = true;
    };
    work.then(end, end);
    for (;;) {
      await this.#settle();
      if (done) return work;
      if (!this.#wakeNext(Number.POSITIVE_INFINITY)) throw new Error(`Nothing happens after ${this.now} ms.`);
    }
  }

  /** Lets this many milliseconds pass, and all that is due by then happen. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    do await this.#settle();
    while (this.#wakeNext(end));
    this.now = end;
  }

  /** A store whose operations are waited for before time passes, each taking `delay` milliseconds. */
  watched(inner: WriteStore, delay: () => number = () => 0): WriteStore {
    const run = async <T>(operation: () => Promise<T>): Promise<T> => {
      const wait = delay();
      if (wait > 0) await this.pause(wait);
      this.#busy++;
      try {
        return await operation();
      } finally {
        this.#busy--;
      }
    };
    return {
      get: (key): Promise<StoredObject | null> => run(() => inner.get(key)),
      getRange: (key, offset, length) => run(() => inner.getRange(key, offset, length)),
      head: (key): Promise<ObjectInfo | null> => run(() => inner.head(key)),
      put: (key, body): Promise<ObjectInfo> => run(() => inner.put(key, body)),
      putIfAbsent: (key, body): Promise<PutOutcome> => run(() => inner.putIfAbsent(key, body)),
      putIfMatch: (key, body, etag): Promise<PutOutcome> => run(() => inner.putIfMatch(key, body, etag)),
      list: (prefix) => inner.list(prefix),
      delete: (key) => run(() => inner.delete(key)),
    };
  }

  #wakeNext(until: number): boolean {
    const [next] = [...this.#sleepers].sort((a, b) => a.at - b.at);
    if (next === undefined || next.at > until) return false;
    this.now = next.at;
    next.wake();
    return true;
  }

  async #settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#busy > 0);
    // What the last answer set off runs before this.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#busy > 0) await this.#settle();
  }
}
