/**
 * What a writer does so that no garbage collection takes from under it what it is about to publish.
 * Decision 0011 has the argument; in short: whatever the version before does not name is made younger
 * than any collection deletes, and a collection that may still be deleting is waited for.
 */
import { LightedgeError } from "../../shared/errors.ts";
import { GC_CLOCK_KEY } from "../../shared/format/names.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import { sha256 } from "../../shared/hash.ts";
import { inTurns } from "../../shared/in-turns.ts";
import { blobKey } from "../../shared/store/keys.ts";
import type { ObjectInfo, ReadStore, WriteStore } from "../../shared/store/store.ts";
import { history } from "../../shared/versions/history.ts";
import { keysOf } from "../../shared/versions/references.ts";
import { FRESH_MS, SWEEP_OVER_MS } from "../../shared/versions/times.ts";

/** Requests on their way at once while blobs are looked up. */
const LOOKUPS = 8;
/** Blobs written again at once; each is in memory whole, some 32 MiB. */
const REFRESHES = 4;

/** A blob that must be there, with this length, before the pointer moves. */
export interface NeededBlob {
  readonly key: string;
  readonly bytes: number;
}

/** What a version is about to consist of. */
export interface Unsettled {
  readonly index: string;
  /** The version that the new one replaces, null for none. */
  readonly base: StoredPointer | null;
  readonly manifest: { readonly key: string; readonly body: Uint8Array<ArrayBuffer> };
  /** Blobs that the base is not known to name. */
  readonly blobs: readonly NeededBlob[];
}

/** What settling takes from the world around it. */
export interface SettlePorts {
  /** Resolves after this many milliseconds. */
  pause(milliseconds: number): Promise<void>;
  /** Told before a pause of minutes. */
  note?(message: string): void;
}

/**
 * Writes the manifest and makes sure of the blobs. Once it is done, nothing of them is deleted while the pointer is the
 * one in `base`. Throws `blob/missing` or `blob/corrupt` for a blob that is absent, or another than
 * its key says. Gives the bytes of blobs that were written again. Cost: one look at each blob; one read and one write of each that is no longer fresh.
 */
export async function settle(
  store: WriteStore,
  { index, base, manifest, blobs }: Unsettled,
  ports: SettlePorts,
): Promise<number> {
  // Always a write, even where the bytes are there: it tells the store's time, and an old manifest may be garbage to a collection.
  const now = (await store.put(manifest.key, manifest.body)).modified;
  const infos = await lookAtAll(store, blobs);
  const stale = blobs.filter((_, at) => infos[at]!.modified < now - FRESH_MS);
  let refreshed = 0;
  if (stale.length > 0) {
    const standing = await standingKeys(store, index, base, now);
    await inTurns(stale, REFRESHES, async (blob) => {
      if (standing.has(blob.key)) return;
      await refresh(store, blob);
      refreshed += blob.bytes;
    });
  }
  const clock = await store.head(GC_CLOCK_KEY);
  if (clock === null || clock.modified < now - SWEEP_OVER_MS) return refreshed;
  ports.note?.(
    `A garbage collection may still be deleting; waiting ${SWEEP_OVER_MS / 1000} s before ${index} is published.`,
  );
  await ports.pause(SWEEP_OVER_MS);
  await lookAtAll(store, [...blobs, { key: manifest.key, bytes: manifest.body.length }]);
  return refreshed;
}

/** Keys of versions that no collection lets go of while the pointer stays: the base, and those whose successor is fresh. */
async function standingKeys(
  store: ReadStore,
  index: string,
  base: StoredPointer | null,
  now: number,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  if (base === null) return keys;
  let replacedAt = now;
  for await (const link of history(store, index, base)) {
    if (link.kind !== "version" || replacedAt < now - FRESH_MS) break;
    for (const key of keysOf(link.manifest)) keys.add(key);
    replacedAt = link.modified;
  }
  return keys;
}

/** Writes a blob again as it is, so that it is young. */
async function refresh(store: WriteStore, { key }: NeededBlob): Promise<void> {
  const found = await store.get(key);
  if (found === null) throw missing(key);
  if (blobKey(await sha256(found.body)) !== key) throw corrupt(key, "its digest is another");
  await store.put(key, found.body);
}

async function lookAtAll(store: ReadStore, blobs: readonly NeededBlob[]): Promise<readonly ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  for (let at = 0; at < blobs.length; at += LOOKUPS) {
    infos.push(...(await Promise.all(blobs.slice(at, at + LOOKUPS).map((blob) => lookAt(store, blob)))));
  }
  return infos;
}

async function lookAt(store: ReadStore, { key, bytes }: NeededBlob): Promise<ObjectInfo> {
  const info = await store.head(key);
  if (info === null) throw missing(key);
  if (info.bytes !== bytes) throw corrupt(key, `it has ${info.bytes} bytes where ${bytes} were written`);
  return info;
}

function missing(key: string): LightedgeError {
  const message = `${key} is not in the store, so nothing was published. Run it again.`;
  return new LightedgeError("blob/missing", message, { blob: key });
}

function corrupt(key: string, why: string): LightedgeError {
  const message = `${key} is damaged: ${why}. Nothing was published; delete it from the store and run again.`;
  return new LightedgeError("blob/corrupt", message, { blob: key });
}
