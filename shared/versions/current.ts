import { pointerKey } from "../format/names.ts";
import { parsePointer, type StoredPointer } from "../format/pointer.ts";
import { checkIndexName, noIndexNamed } from "../store/keys.ts";
import type { ReadStore } from "../store/store.ts";

/** The current version of an index, or null where there is none. Throws what `parsePointer` does. Cost: one read. */
export async function readPointer(store: ReadStore, index: string): Promise<StoredPointer | null> {
  checkIndexName(index);
  const found = await store.get(pointerKey(index));
  return found === null ? null : { pointer: parsePointer(found.body, index), etag: found.etag };
}

/** The current version of an index. Throws `index/not-found` where there is none. Cost: one read. */
export async function readExisting(store: ReadStore, index: string): Promise<StoredPointer> {
  const stored = await readPointer(store, index);
  if (stored !== null) return stored;
  throw noIndexNamed(index);
}
