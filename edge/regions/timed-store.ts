/** Reads that end: a store that says nothing for too long is one that is down. */
import { LightedgeError } from "../../shared/errors.ts";
import { BLOB_PREFIX, inboxPrefix } from "../../shared/format/names.ts";
import { MIB } from "../../shared/limits.ts";
import type { ObjectInfo, ReadStore, StoredObject } from "../../shared/store/store.ts";
import type { InboxStore } from "../inbox-store.ts";
import { type Pauser, within } from "./within.ts";

/** How long a read may take, and what tells. */
export interface ReadTimer extends Pauser {
  /** Milliseconds for a read of little, with all tries of the store itself. */
  readonly limitMs: number;
}

/** A whole blob may be as long as ten MiB (`shared/engine/open.ts`), and comes over an ocean where a region stands in for another. */
const WHOLE_BLOB = 3;
/** Milliseconds for each MiB of a range: half of what a slow way brings. */
const MIB_MS = 500;

/** Another store, whose reads fail as `store/unavailable` where they take too long. The read itself goes on unheard. */
export class TimedStore implements ReadStore {
  readonly #inner: ReadStore;
  readonly #timer: ReadTimer;

  constructor(inner: ReadStore, timer: ReadTimer) {
    this.#inner = inner;
    this.#timer = timer;
  }

  get(key: string): Promise<StoredObject | null> {
    const limitMs = this.#timer.limitMs * (key.startsWith(BLOB_PREFIX) ? WHOLE_BLOB : 1);
    return inTime(key, this.#inner.get(key), { ...this.#timer, limitMs });
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const limitMs = this.#timer.limitMs + (length / MIB) * MIB_MS;
    return inTime(key, this.#inner.getRange(key, offset, length), { ...this.#timer, limitMs });
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
function inTime<T>(key: string, read: Promise<T>, timer: ReadTimer): Promise<T> {
  const { limitMs } = timer;
  return within(timer, limitMs, read, () => {
    const message = `The object store did not give ${key} within ${Math.round(limitMs)} ms.`;
    return new LightedgeError("store/unavailable", message, { blob: key, limit: limitMs });
  });
}
