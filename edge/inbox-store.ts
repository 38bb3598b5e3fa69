/**
 * Where writes at the edge are kept. All that the Worker can change in a store: it can add entries to
 * inboxes, and neither replace nor remove anything.
 */
import { LightedgeError } from "../shared/errors.ts";
import { inboxKey, inboxPrefix, type WriteId, writeOfKey } from "../shared/format/names.ts";
import { readTwice } from "./read-twice.ts";

/** An entry as a listing tells of it. */
export interface ListedWrite {
  readonly write: WriteId;
  /** Length of the entry in bytes. */
  readonly bytes: number;
}

/** What became of an entry that was to be written. */
export type EntryOutcome = "written" | "there already";

/** Inboxes in a store. */
export interface InboxStore {
  /** Writes an entry where none is under this key. Throws `store/unavailable` when it may or may not have been. */
  put(index: string, write: WriteId, body: Uint8Array<ArrayBuffer>): Promise<EntryOutcome>;
  /** The entries of an index's inbox whose names are not below `from`, ascending; all where it is null. Throws `store/unavailable`. */
  list(index: string, from: string | null): Promise<readonly ListedWrite[]>;
}

/** Pages of a listing, of 1,000 keys each. A Worker may ask a bucket 1,000 things for one request. */
const MOST_PAGES = 100;

/** Inboxes in an R2 bucket. A listing there shows every write that was answered before it. */
export class R2Inbox implements InboxStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async put(index: string, write: WriteId, body: Uint8Array<ArrayBuffer>): Promise<EntryOutcome> {
    const key = inboxKey(index, write);
    try {
      const written = await this.#bucket.put(key, body, { onlyIf: { etagDoesNotMatch: "*" } });
      return written === null ? "there already" : "written";
    } catch (error) {
      throw unknownOutcome(key, error);
    }
  }

  async list(index: string, from: string | null): Promise<readonly ListedWrite[]> {
    const prefix = inboxPrefix(index);
    const found: ListedWrite[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const next = cursor === undefined ? {} : { cursor };
      // A key ends with .json, so it is above its own name.
      const start = from === null || cursor !== undefined ? {} : { startAfter: prefix + from };
      const page = await readTwice(prefix, () => this.#bucket.list({ prefix, ...start, ...next }));
      found.push(
        ...listedWrites(
          index,
          page.objects.map(({ key, size }) => ({ key, bytes: size })),
        ),
      );
      if (!page.truncated) return found;
      cursor = page.cursor;
    }
    throw tooMany(prefix);
  }
}

/** The entries among listed objects; keys of another shape are not ours. */
export function listedWrites(
  index: string,
  objects: readonly { readonly key: string; readonly bytes: number }[],
): readonly ListedWrite[] {
  return objects.flatMap(({ key, bytes }) => {
    const write = writeOfKey(index, key);
    return write === null ? [] : [{ write, bytes }];
  });
}

/** The error for an entry that may or may not have been written. */
export function unknownOutcome(key: string, cause: unknown): LightedgeError {
  const message = `The object store failed while ${key} was written; it may or may not have been.`;
  return new LightedgeError("store/unavailable", message, { blob: key }, cause);
}

function tooMany(prefix: string): LightedgeError {
  const message = `There are more than ${MOST_PAGES} pages of keys under ${prefix}. Run "lightedge reindex" and "lightedge gc".`;
  return new LightedgeError("store/unavailable", message, { blob: prefix });
}
