/** What a garbage collection knows of a store before it decides anything. */

import { LightedgeError } from "../errors.ts";
import { blobsOf, type OverlayBlob } from "../format/manifest.ts";
import {
  BLOB_PREFIX,
  digestOfBlob,
  INDEX_PREFIX,
  isIndexName,
  manifestKey,
  manifestOfKey,
  pointerKey,
  REGISTRY_KEY,
  writeOfKey,
} from "../format/names.ts";
import { parsePointer, type StoredPointer } from "../format/pointer.ts";
import type { Sha256 } from "../hash.ts";
import { inTurns } from "../in-turns.ts";
import type { ObjectInfo, WriteStore } from "../store/store.ts";
import { readClock, type StoredClock } from "./clock.ts";
import { isDamage, readManifest } from "./history.ts";
import { keysOf } from "./references.ts";
import { readRegistry } from "./registry.ts";

/** An object that a collection may delete. */
export type Stored = Pick<ObjectInfo, "key" | "bytes" | "modified">;

/** A manifest, in the chain of versions or not. */
export interface ManifestFacts extends Stored {
  readonly content:
    | {
        readonly kind: "read";
        readonly parent: Sha256 | null;
        /** Keys of all objects it needs. */
        readonly keys: readonly string[];
        readonly overlay: OverlayBlob | null;
      }
    /** Not what was written, of a newer format, or listed and not there. */
    | { readonly kind: "unreadable"; readonly reason: LightedgeError };
}

/** One index as it was found. */
export interface IndexFacts {
  readonly name: string;
  readonly registered: boolean;
  /** With the time of its writing; null where there is none. */
  readonly pointer: (StoredPointer & { readonly modified: number }) | null;
  /** Every manifest that is listed or in the chain. */
  readonly manifests: ReadonlyMap<Sha256, ManifestFacts>;
  /** Entries of its inbox. */
  readonly inbox: readonly Stored[];
}

/** A store as it was found. */
export interface GcFacts {
  readonly indexes: readonly IndexFacts[];
  /** Whatever lies under the key of a blob. */
  readonly blobs: readonly Stored[];
  readonly clock: StoredClock;
  /** For a second look; null where there is none. */
  readonly registryEtag: string | null;
}

/** Manifests read at once. */
const AT_ONCE = 8;

/**
 * Looks at everything. Throws what reading registry, clock and pointers throws, and `blob/missing` for a
 * store that holds something and has no registry: then a listing that is cut could hide an index. Cost: a
 * listing of all blobs and all that belongs to indexes, one read for each index and each manifest.
 */
export async function gatherFacts(store: WriteStore): Promise<GcFacts> {
  const registry = await readRegistry(store);
  const registered = new Set(registry?.registry.indexes);
  const listed = await listIndexes(store);
  const blobs = new Map<string, Stored>();
  for await (const { key, bytes, modified } of store.list(BLOB_PREFIX))
    if (digestOfBlob(key) !== null) blobs.set(key, { key, bytes, modified });
  if (registry === null && (listed.size > 0 || blobs.size > 0)) throw noRegistry();
  const intern = interner();
  const indexes: IndexFacts[] = [];
  for (const name of [...new Set([...registered, ...listed.keys()])].sort()) {
    const own = listed.get(name) ?? { manifests: [], inbox: [] };
    const pointer = await readTimedPointer(store, name);
    const manifests = await readManifests(store, name, own.manifests, pointer, intern);
    indexes.push({ name, registered: registered.has(name), pointer, manifests, inbox: own.inbox });
  }
  return {
    indexes,
    blobs: [...blobs.values()],
    // Last: what another collection has taken meanwhile it has let go of before.
    clock: await readClock(store),
    registryEtag: registry?.etag ?? null,
  };
}

interface Listed {
  readonly manifests: Stored[];
  readonly inbox: Stored[];
}

/** What a listing shows of indexes, by name. Keys of a shape that is not known here are not looked at. */
async function listIndexes(store: WriteStore): Promise<Map<string, Listed>> {
  const found = new Map<string, Listed>();
  const seen = new Set<string>();
  for await (const { key, bytes, modified } of store.list(INDEX_PREFIX)) {
    const name = key.slice(INDEX_PREFIX.length).split("/")[0]!;
    if (!isIndexName(name) || seen.has(key)) continue;
    seen.add(key);
    const own = found.get(name) ?? { manifests: [], inbox: [] };
    found.set(name, own);
    if (manifestOfKey(key) !== null) own.manifests.push({ key, bytes, modified });
    if (writeOfKey(name, key) !== null) own.inbox.push({ key, bytes, modified });
  }
  return found;
}

async function readTimedPointer(store: WriteStore, index: string): Promise<IndexFacts["pointer"]> {
  const found = await store.get(pointerKey(index));
  if (found === null) return null;
  return { pointer: parsePointer(found.body, index), etag: found.etag, modified: found.modified };
}

/** The manifests that are listed, then those of the chain that the listing has left out. */
async function readManifests(
  store: WriteStore,
  index: string,
  listed: readonly Stored[],
  pointer: StoredPointer | null,
  intern: (text: string) => string,
): Promise<ReadonlyMap<Sha256, ManifestFacts>> {
  const manifests = new Map<Sha256, ManifestFacts>();
  await inTurns(listed, AT_ONCE, async (object) => {
    const { sha256 } = manifestOfKey(object.key)!;
    const content = (await readContent(store, index, sha256, intern)) ?? vanished(object.key);
    manifests.set(sha256, { ...object, ...content });
  });
  let next: Sha256 | null = pointer?.pointer.manifest.sha256 ?? null;
  while (next !== null) {
    let facts: ManifestFacts | undefined = manifests.get(next);
    if (facts === undefined) {
      const found = await readContent(store, index, next, intern);
      if (found === null) break;
      facts = { key: manifestKey(index, next), bytes: 0, modified: 0, ...found };
      manifests.set(next, facts);
    }
    next = facts.content.kind === "read" ? facts.content.parent : null;
  }
  return manifests;
}

/** What a manifest says, with its size and time where it was read; null where there is none. */
async function readContent(
  store: WriteStore,
  index: string,
  digest: Sha256,
  intern: (text: string) => string,
): Promise<(Pick<ManifestFacts, "content"> & Partial<Stored>) | null> {
  try {
    const found = await readManifest(store, index, digest);
    if (found === null) return null;
    const { manifest, bytes, modified } = found;
    const [overlay = null] = blobsOf(manifest, "overlay");
    const keys = keysOf(manifest).map(intern);
    return { bytes, modified, content: { kind: "read", parent: manifest.parent, keys, overlay } };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { content: { kind: "unreadable", reason: error } };
  }
}

function vanished(key: string): Pick<ManifestFacts, "content"> {
  const message = `${key} is listed and cannot be read.`;
  const reason = new LightedgeError("blob/missing", message, { blob: key });
  return { content: { kind: "unreadable", reason } };
}

/** One copy of each text: versions of one index name the same blobs over and over. */
function interner(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const same = known.get(text);
    if (same === undefined) known.set(text, text);
    return same ?? text;
  };
}

function noRegistry(): LightedgeError {
  return new LightedgeError(
    "blob/missing",
    `The store has no ${REGISTRY_KEY}, so which indexes it holds is not certain and nothing was deleted. Publish any of its indexes once with this version.`,
    { blob: REGISTRY_KEY },
  );
}
