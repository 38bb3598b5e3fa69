/** The versions of an index, newest first: the chain that leads from each manifest to the one it replaced. */

import { asLightedgeError, LightedgeError } from "../errors.ts";
import { invalid } from "../format/bytes.ts";
import { type Manifest, parseManifest } from "../format/manifest.ts";
import { manifestKey, versionName } from "../format/names.ts";
import type { ManifestReference, StoredPointer } from "../format/pointer.ts";
import { type Sha256, sha256 } from "../hash.ts";
import type { ReadStore } from "../store/store.ts";
import { readPointer } from "./current.ts";

/** What is known of a version before its manifest is read. */
export interface VersionPlace {
  readonly seq: number;
  /** `versionName` of it. */
  readonly version: string;
  /** Key of its manifest. */
  readonly key: string;
  readonly sha256: Sha256;
}

/** A version with its manifest. */
export interface Version extends VersionPlace {
  readonly kind: "version";
  readonly reference: ManifestReference;
  readonly manifest: Manifest;
  /** When its manifest was written, by the store's clock, in ms. */
  readonly modified: number;
}

/** A link of the chain: a version, or where the chain breaks, which is the last that is given. */
export type Link =
  | Version
  /** There is no manifest: the version was collected, or lost. */
  | ({ readonly kind: "missing" } & VersionPlace)
  /** There is something, and not what was written. */
  | ({ readonly kind: "damaged"; readonly reason: LightedgeError } & VersionPlace);

/**
 * The chain of an index from `from`, or from the pointer as it is now, down to its first version or
 * to where it breaks. Nothing where there is no pointer. Throws what `parsePointer` and the store
 * throw. Cost: one read for each link that is asked for; memory: one manifest.
 */
export async function* history(
  store: ReadStore,
  index: string,
  from?: StoredPointer,
): AsyncGenerator<Link, void, undefined> {
  const stored = from ?? (await readPointer(store, index));
  if (stored === null) return;
  let { seq } = stored.pointer;
  let digest: Sha256 | null = stored.pointer.manifest.sha256;
  while (digest !== null) {
    const link = await readLink(store, index, seq, digest);
    yield link;
    if (link.kind !== "version") return;
    digest = link.manifest.parent;
    seq -= 1;
  }
}

/** A manifest with what a chain needs to know of it; null where there is none. Throws as `loadManifest`, after a second read of what is damaged. */
export async function readManifest(
  store: ReadStore,
  index: string,
  digest: Sha256,
): Promise<{ readonly manifest: Manifest; readonly bytes: number; readonly modified: number } | null> {
  const key = manifestKey(index, digest);
  for (let attempt = 1; ; attempt++) {
    const found = await store.get(key);
    if (found === null && attempt === 2) return null;
    // Nothing, or other bits, may be a cache in the middle of a repair.
    if (found === null) continue;
    if ((await sha256(found.body)) === digest) {
      const manifest = parseManifest(found.body);
      if (manifest.index !== index) throw invalid(`${key} is a manifest of the index ${manifest.index}.`);
      return { manifest, bytes: found.body.length, modified: found.modified };
    }
    if (attempt === 2)
      throw new LightedgeError("blob/corrupt", `${key} is damaged: its digest is another.`, { blob: key });
  }
}

async function readLink(store: ReadStore, index: string, seq: number, digest: Sha256): Promise<Link> {
  const place: VersionPlace = {
    seq,
    version: versionName(seq, digest),
    key: manifestKey(index, digest),
    sha256: digest,
  };
  let found: Awaited<ReturnType<typeof readManifest>>;
  try {
    found = await readManifest(store, index, digest);
    // The first version replaced none, and no other did.
    if (found !== null && (found.manifest.parent === null) !== (seq === 1)) {
      throw invalid(`${place.key} is version ${seq} and ${seq === 1 ? "names a" : "names no"} parent.`);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { kind: "damaged", ...place, reason: asLightedgeError(error) };
  }
  if (found === null) return { kind: "missing", ...place };
  const { manifest, bytes, modified } = found;
  return {
    kind: "version",
    ...place,
    reference: { key: place.key, sha256: digest, bytes },
    manifest,
    modified,
  };
}

/** Whether an error says that an object is not what was written, or is newer than this program, rather than that the store did not answer. */
export function isDamage(error: unknown): error is LightedgeError {
  const codes: readonly string[] = ["blob/corrupt", "format/invalid", "format/unsupported"];
  return error instanceof LightedgeError && codes.includes(error.code);
}
