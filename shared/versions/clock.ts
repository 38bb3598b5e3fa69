import { type GcClock, parseGcClock } from "../format/gc-clock.ts";
import { GC_CLOCK_KEY } from "../format/names.ts";
import type { ReadStore } from "../store/store.ts";

/** What collections have noted, and the etag under which that is written, null where none ever deleted anything. */
export interface StoredClock extends Pick<GcClock, "released" | "current"> {
  readonly etag: string | null;
}

/** What collections have noted. Throws as `parseGcClock`. Cost: one read. */
export async function readClock(store: ReadStore): Promise<StoredClock> {
  const found = await store.get(GC_CLOCK_KEY);
  if (found === null) return { released: {}, current: {}, etag: null };
  const { released, current } = await parseGcClock(found.body);
  return { released, current, etag: found.etag };
}
