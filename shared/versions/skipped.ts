/** Which versions replication has passed over in a store. */

import { LightedgeError } from "../errors.ts";
import { SKIPPED_KEY } from "../format/names.ts";
import { parseSkipped, type Skipped, serializeSkipped } from "../format/skipped.ts";
import { toHex } from "../hash.ts";
import type { ReadStore, WriteStore } from "../store/store.ts";
import type { RecordPorts } from "./registry.ts";

/** Waits before each try, as for the registry. */
const TRY_WAITS_MS = [0, 1000, 2000, 4000, 8000];

/** By index, the version up to which some may never have come to this store. Throws as `parseSkipped`. Cost: one read. */
export async function readSkipped(store: ReadStore): Promise<Skipped["skipped"]> {
  const found = await store.get(SKIPPED_KEY);
  return found === null ? {} : (await parseSkipped(found.body)).skipped;
}

/**
 * Notes that versions up to `seq` may not be whole in this store, before the pointer moves past them. Throws what
 * reading throws, and `store/unavailable` when it cannot be written. Cost: one read where it is noted already.
 */
export async function noteSkipped(
  store: WriteStore,
  index: string,
  seq: number,
  ports: RecordPorts,
): Promise<void> {
  let cause: unknown;
  for (const wait of TRY_WAITS_MS) {
    if (wait > 0) await ports.pause(wait);
    const found = await store.get(SKIPPED_KEY);
    const known = found === null ? {} : (await parseSkipped(found.body)).skipped;
    if ((known[index] ?? 0) >= seq) return;
    const commit_id = toHex(ports.randomBytes(16));
    const body = await serializeSkipped({ format: 1, commit_id, skipped: { ...known, [index]: seq } });
    try {
      const { kind } = await (found === null
        ? store.putIfAbsent(SKIPPED_KEY, body)
        : store.putIfMatch(SKIPPED_KEY, body, found.etag));
      if (kind === "written") return;
    } catch (error) {
      // It may have landed; the next look tells.
      cause = error;
    }
  }
  const message = `${SKIPPED_KEY} could not be changed, so nothing else was. Run it again.`;
  throw new LightedgeError("store/unavailable", message, { blob: SKIPPED_KEY }, cause);
}
