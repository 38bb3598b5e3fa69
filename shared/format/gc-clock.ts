/** What garbage collection writes before it deletes. docs/format.md section 1. */

import { FORMAT_LIMITS } from "../limits.ts";
import { invalid } from "./bytes.ts";
import { GC_CLOCK_KEY, isIndexName } from "./names.ts";
import { commitId } from "./pointer.ts";
import { parseSealed, serializeSealed } from "./sealed.ts";
import { type Check, dictionary, integer, object, oneOf } from "./shape.ts";

/**
 * The content of `gc/clock.json`. When it was written, by the store's clock, is when a collection
 * began to delete.
 */
export interface GcClock {
  readonly format: 1;
  /** Random for each change, for the etag. */
  readonly commit_id: string;
  /**
   * By index, the version up to which collections have let go: those up to this `seq` may be gone, wholly
   * or in part; those above are whole, or the store has lost something. Never falls.
   */
  readonly released: Readonly<Record<string, number>>;
  /**
   * By index, since when a version has been current whose pointer a collection has written again: the time of that
   * pointer would make the version before look as if it had been replaced only then.
   */
  readonly current: Readonly<Record<string, CurrentSince>>;
}

/** Since when, in ms by the store's clock, the version with this number has been current. */
export interface CurrentSince {
  readonly seq: number;
  readonly since: number;
}

const count = integer(0, Number.MAX_SAFE_INTEGER);
const checkCurrent = object<CurrentSince>({ seq: count, since: count });
const check: Check<GcClock> = object<GcClock>({
  format: oneOf([1]),
  commit_id: commitId,
  released: byIndex(count),
  current: byIndex(checkCurrent),
});

function byIndex<T>(item: Check<T>): Check<Readonly<Record<string, T>>> {
  const checkItems = dictionary(item, FORMAT_LIMITS.indexes);
  return (value, where) => {
    const items = checkItems(value, where);
    for (const name of Object.keys(items))
      if (!isIndexName(name)) throw invalid(`${where}: a key is not the name of an index.`);
    return items;
  };
}

/** A clock from its bytes. Throws `blob/corrupt`, `format/unsupported` for a newer format, else `format/invalid`. */
export function parseGcClock(bytes: Uint8Array): Promise<GcClock> {
  return parseSealed(bytes, GC_CLOCK_KEY, { format: 1, limit: FORMAT_LIMITS.clockBytes, check });
}

/** A clock as bytes. Throws `format/invalid` for what `parseGcClock` would refuse. */
export async function serializeGcClock(clock: GcClock): Promise<Uint8Array<ArrayBuffer>> {
  return serializeSealed(check(clock, GC_CLOCK_KEY));
}
