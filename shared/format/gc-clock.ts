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
}

const checkReleased = dictionary(integer(1, Number.MAX_SAFE_INTEGER), FORMAT_LIMITS.indexes);
const check: Check<GcClock> = object<GcClock>({
  format: oneOf([1]),
  commit_id: commitId,
  released: (value, where) => {
    const released = checkReleased(value, where);
    for (const name of Object.keys(released))
      if (!isIndexName(name)) throw invalid(`${where}: a key is not the name of an index.`);
    return released;
  },
});

/** A clock from its bytes. Throws `blob/corrupt`, `format/unsupported` for a newer format, else `format/invalid`. */
export function parseGcClock(bytes: Uint8Array): Promise<GcClock> {
  return parseSealed(bytes, GC_CLOCK_KEY, { format: 1, limit: FORMAT_LIMITS.registryBytes, check });
}

/** A clock as bytes. Throws `format/invalid` for what `parseGcClock` would refuse. */
export async function serializeGcClock(clock: GcClock): Promise<Uint8Array<ArrayBuffer>> {
  return serializeSealed(check(clock, GC_CLOCK_KEY));
}
