import { parseGcClock } from "../format/gc-clock.ts";
import { GC_CLOCK_KEY } from "../format/names.ts";
import type { ReadStore } from "../store/store.ts";

/** What collections have let go of, and the etag under which that is written; null where none ever deleted anything. */
export interface ReleasedFacts {
  /** `GcClock.released`. */
  readonly released: Readonly<Record<string, number>>;
  readonly etag: string | null;
}

/** What collections have let go of. Throws as `parseGcClock`. Cost: one read. */
export async function readReleased(store: ReadStore): Promise<ReleasedFacts> {
  const found = await store.get(GC_CLOCK_KEY);
  if (found === null) return { released: {}, etag: null };
  return { released: (await parseGcClock(found.body)).released, etag: found.etag };
}
