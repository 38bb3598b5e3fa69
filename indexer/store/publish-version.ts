/** A version's parts to the current version: the manifest that names them, and the pointer last. */
import { LightedgeError } from "../../shared/errors.ts";
import { bindingHash } from "../../shared/format/binding.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { loadManifest } from "../../shared/format/load.ts";
import {
  BLOB_ROLES,
  type BlobEntry,
  type BlobFacts,
  type Manifest,
  parseManifest,
  serializeManifest,
} from "../../shared/format/manifest.ts";
import { blobKey, versionName } from "../../shared/format/names.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import { sha256 } from "../../shared/hash.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
import { keysOf } from "../../shared/versions/references.ts";
import { register } from "../../shared/versions/registry.ts";
import { commit, PUBLISH_PORTS, type PublishPorts, putBlob } from "./publish.ts";

/** All of a manifest that its parts decide, and not the state of the store or the clock. */
export type VersionContent = Omit<Manifest, "format" | "created" | "parent" | "binding">;

/** What became of a publication. */
export interface Published {
  /** `versionName` of it. */
  readonly version: string;
  /** False where the store held this very version already. */
  readonly changed: boolean;
  /** Bytes of blobs that an earlier run had left or an older version has, and that were written again to be young. */
  readonly refreshed: number;
  readonly manifest: Manifest;
}

/**
 * Publishes blobs that are in the store already. `base` is the pointer as it was before the run
 * began. Throws `store/conflict` when another run won meanwhile, `store/unavailable` when the
 * store does not say who won, and what `commit` throws.
 */
export async function publishVersion(
  store: WriteStore,
  content: VersionContent,
  base: StoredPointer | null,
  now: Date,
  ports: PublishPorts = PUBLISH_PORTS,
): Promise<Published> {
  const { index } = content;
  const manifest = await manifestOf(content, base, now);
  const current = base === null ? null : await readBase(store, base);
  if (base !== null && current !== null && sameContent(current, manifest)) {
    await register(store, index, ports);
    const version = versionName(base.pointer.seq, base.pointer.manifest.sha256);
    return { version, changed: false, refreshed: 0, manifest: current };
  }
  return commitManifest(store, manifest, base, current, ports);
}

/**
 * Makes a manifest the current version in place of `base`; `current` is the base's own, where it can
 * be read. Throws as `publishVersion`.
 */
export async function commitManifest(
  store: WriteStore,
  manifest: Manifest,
  base: StoredPointer | null,
  current: Manifest | null,
  ports: PublishPorts,
): Promise<Published> {
  const { index } = manifest;
  const bytes = serializeManifest(manifest);
  parseManifest(bytes);
  const named = new Set(current === null ? [] : keysOf(current));
  const blobs = manifest.blobs.filter(({ key }) => !named.has(key));
  const outcome = await commit(store, index, { manifest: bytes, blobs, base }, ports);
  if (outcome.kind === "committed") {
    const version = versionName(outcome.pointer.seq, outcome.pointer.manifest.sha256);
    return { version, changed: true, refreshed: outcome.refreshed, manifest };
  }
  throw outcome.kind === "conflict"
    ? new LightedgeError(
        "store/conflict",
        `Another run published ${index} meanwhile; nothing of this one serves. Run it again.`,
      )
    : new LightedgeError(
        "store/unavailable",
        `The store did not say whether the new version of ${index} was published. Look with "lightedge info", then run again if it was not.`,
        {},
        outcome.cause,
      );
}

async function manifestOf(content: VersionContent, base: StoredPointer | null, now: Date): Promise<Manifest> {
  const { model, tasks, blobs } = content;
  const binding = await bindingHash({
    encoder: model.encoder,
    dimension: model.dimension,
    vocabulary: model.vocabulary,
    tokenizer: blobs.find(({ role }) => role === "tokenizer")!.sha256,
    tables: tasks.map(({ table }) => table),
  });
  const parent = base?.pointer.manifest.sha256 ?? null;
  return { ...content, format: 1, created: now.toISOString(), parent, binding, blobs: orderBlobs(blobs) };
}

/** The manifest of the base; null where it is damaged or gone, which a new version repairs. */
export async function readBase(store: ReadStore, { pointer }: StoredPointer): Promise<Manifest | null> {
  try {
    return await loadManifest(store, pointer.manifest);
  } catch (error) {
    const damaged =
      error instanceof LightedgeError && (error.code === "blob/missing" || error.code === "blob/corrupt");
    if (damaged) return null;
    throw error;
  }
}

/** The blobs in the manifest's order. */
function orderBlobs(blobs: readonly BlobEntry[]): readonly BlobEntry[] {
  return BLOB_ROLES.flatMap((role) => blobs.filter((blob) => blob.role === role));
}

/** Whether two versions differ in nothing but when they were made and from what. */
export function sameContent(a: Manifest, b: Manifest): boolean {
  const plain = (manifest: Manifest) =>
    new TextDecoder().decode(serializeManifest({ ...manifest, created: b.created, parent: null }));
  return plain(a) === plain(b);
}

/** Puts files into the store as they are made and keeps count. */
export class Publisher {
  readonly #store: WriteStore;
  readonly #verify: boolean;
  bytesWritten = 0;

  /** With `verify` what the store has already is read back, and written again where it is damaged. */
  constructor(store: WriteStore, verify = false) {
    this.#store = store;
    this.#verify = verify;
  }

  async put(file: WrittenFile): Promise<BlobFacts> {
    const { written, key } = await putBlob(this.#store, file.bytes);
    const damaged = !written && this.#verify && !(await this.#isSound(key, file));
    if (damaged) await this.#store.put(key, file.bytes);
    if (written || damaged) this.bytesWritten += file.bytes.length;
    return { key: blobKey(file.sha256), sha256: file.sha256, bytes: file.bytes.length, head: file.head };
  }

  async #isSound(key: string, file: WrittenFile): Promise<boolean> {
    const found = await this.#store.get(key);
    return found !== null && (await sha256(found.body)) === file.sha256;
  }
}
