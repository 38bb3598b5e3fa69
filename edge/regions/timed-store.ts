/** Reads that end: a store that says nothing for too long is one that is down. */
import { LightedgeError } from "../../shared/errors.ts";
import { inboxPrefix } from "../../shared/format/names.ts";
import type { ObjectInfo, ReadStore, StoredObject } from "../../shared/store/store.ts";
import type { InboxStore } from "../inbox-store.ts";

/** How long a read may take, and what tells. */
export interface ReadTimer {
  /** Milliseconds for one read, with all tries of the store itself. */
  readonly limitMs: number;
  /** Is kept after this many ms, or at once when the signal is given. */
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Another store, whose reads fail as `store/unavailable` where they take too long. The read itself goes on unheard. */
export class TimedStore implements ReadStore {
  readonly #inner: ReadStore;
  readonly #timer: ReadTimer;

  constructor(inner: ReadStore, timer: ReadTimer) {
    this.#inner = inner;
    this.#timer = timer;
  }

  get(key: string): Promise<StoredObject | null> {
    return inTime(key, this.#inner.get(key), this.#timer);
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return inTime(key, this.#inner.getRange(key, offset, length), this.#timer);
  }
  head(key: string): Promise<ObjectInfo | null> {
    return inTime(key, this.#inner.head(key), this.#timer);
  }
}

/** An inbox whose listings fail in the same way. A write is waited for: whether it was done must be known. */
export function timedInbox(inner: InboxStore, timer: ReadTimer): InboxStore {
  return {
    put: (index, write, body) => inner.put(index, write, body),
    list: (index, from) => inTime(inboxPrefix(index), inner.list(index, from), timer),
  };
}

/** What a read gives, if it does within the time. Throws `store/unavailable` naming the key if not. */
export async function inTime<T>(key: string, read: Promise<T>, { limitMs, pause }: ReadTimer): Promise<T> {
  const over = new AbortController();
  const late = pause(limitMs, over.signal).then(() => {
    const message = `The object store did not give ${key} within ${limitMs} ms.`;
    throw new LightedgeError("store/unavailable", message, { blob: key, limit: limitMs });
  });
  // Nobody listens any more once the race is over.
  for (const each of [read, late]) each.catch(() => undefined);
  try {
    return await Promise.race([read, late]);
  } finally {
    over.abort();
  }
}
