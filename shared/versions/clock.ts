import { type GcClock, parseGcClock } from "../format/gc-clock.ts";
import { GC_CLOCK_KEY } from "../format/names.ts";
import type { ReadStore } from "../store/store.ts";
import { readSkipped } from "./skipped.ts";

/** What collections have noted, and the etag under which that is written, null where none ever deleted anything. */
export interface StoredClock extends Pick<GcClock, "released" | "current"> {
  readonly etag: string | null;
}

/**
 * What collections have noted. Versions that replication has passed over count as released: some of them
 * never were whole here. Throws as `parseGcClock` and `readSkipped`. Cost: two reads.
 */
export async function readClock(store: ReadStore): Promise<StoredClock> {
  const found = await store.get(GC_CLOCK_KEY);
  const clock = found === null ? null : await parseGcClock(found.body);
  const released: Record<string, number> = { ...clock?.released };
  for (const [index, seq] of Object.entries(await readSkipped(store)))
    released[index] = Math.max(seq, released[index] ?? 0);
  return { released, current: clock?.current ?? {}, etag: found?.etag ?? null };
}
