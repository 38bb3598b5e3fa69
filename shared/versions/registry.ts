/** Which indexes a store holds, and how a new one comes to be among them. */

import { LightedgeError } from "../errors.ts";
import { INDEX_PREFIX, isIndexName, pointerKey, REGISTRY_KEY } from "../format/names.ts";
import { parseRegistry, type Registry, serializeRegistry } from "../format/registry.ts";
import { toHex } from "../hash.ts";
import { checkIndexName } from "../store/keys.ts";
import type { ReadStore, WriteStore } from "../store/store.ts";

/** A registry with its etag, for a conditional write over it. */
export interface StoredRegistry {
  readonly registry: Registry;
  readonly etag: string;
}

/** What changing a record takes from the world around it. */
export interface RecordPorts {
  randomBytes(length: number): Uint8Array;
  /** Resolves after this many milliseconds. */
  pause(milliseconds: number): Promise<void>;
}

/** Waits before each try. R2 takes one write a second for a key, and others may register at the same time. */
const TRY_WAITS_MS = [0, 1000, 2000, 4000, 8000];

/** The registry, or null where no index was ever published. Throws as `parseRegistry`. Cost: one read. */
export async function readRegistry(store: ReadStore): Promise<StoredRegistry | null> {
  const found = await store.get(REGISTRY_KEY);
  return found === null ? null : { registry: await parseRegistry(found.body), etag: found.etag };
}

/**
 * Makes sure that an index is in the registry. Throws what reading it throws, and
 * `store/unavailable` when it cannot be changed. Cost: one read where the index is there already.
 */
export async function register(store: WriteStore, index: string, ports: RecordPorts): Promise<void> {
  checkIndexName(index);
  await change(store, ports, async (stored) => {
    if (stored?.registry.indexes.includes(index)) return null;
    const known = stored?.registry.indexes ?? (await publishedIndexes(store));
    return [...new Set([...known, index])];
  });
}

/**
 * Takes an index out of the registry that has no version: it was removed by hand, or its first run died and is
 * never to be repeated. A run of it that is still under way may publish what a collection then takes. Throws
 * `index/not-found` where it is not there, `usage/invalid` where it has a version.
 */
export async function forget(store: WriteStore, index: string, ports: RecordPorts): Promise<void> {
  checkIndexName(index);
  const details = { field: "index", value: index };
  if ((await store.head(pointerKey(index))) !== null)
    throw new LightedgeError("usage/invalid", `${index} has versions and cannot be forgotten.`, details);
  let begun = false;
  await change(store, ports, async (stored) => {
    const known = stored?.registry.indexes ?? [];
    if (known.includes(index)) {
      begun = true;
      return known.filter((name) => name !== index);
    }
    // Gone since the last try: only the answer to that was lost.
    if (begun) return null;
    throw new LightedgeError("index/not-found", `${index} is not in ${REGISTRY_KEY}.`, details);
  });
}

/** Writes the names that `next` makes of the registry as it is, null for no change, until nobody came in between. */
async function change(
  store: WriteStore,
  ports: RecordPorts,
  next: (stored: StoredRegistry | null) => Promise<readonly string[] | null>,
): Promise<void> {
  let cause: unknown;
  for (const wait of TRY_WAITS_MS) {
    if (wait > 0) await ports.pause(wait);
    const stored = await readRegistry(store);
    const indexes = await next(stored);
    if (indexes === null) return;
    const commit_id = toHex(ports.randomBytes(16));
    const body = await serializeRegistry({ format: 1, commit_id, indexes: indexes.toSorted() });
    try {
      const { kind } = await (stored === null
        ? store.putIfAbsent(REGISTRY_KEY, body)
        : store.putIfMatch(REGISTRY_KEY, body, stored.etag));
      if (kind === "written") return;
    } catch (error) {
      // It may have landed; the next look tells.
      cause = error;
    }
  }
  throw new LightedgeError(
    "store/unavailable",
    `${REGISTRY_KEY} could not be changed, so nothing else was. Run it again.`,
    { blob: REGISTRY_KEY },
    cause,
  );
}

/** Indexes that were published by a version without a registry. Asked for once in the life of a store. */
async function publishedIndexes(store: WriteStore): Promise<readonly string[]> {
  const names = new Set<string>();
  for await (const { key } of store.list(INDEX_PREFIX)) {
    const name = key.slice(INDEX_PREFIX.length).split("/")[0]!;
    if (isIndexName(name) && key === pointerKey(name)) names.add(name);
  }
  return [...names];
}
