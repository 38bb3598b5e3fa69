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
import { blobKey } from "../../shared/format/names.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { commit, putBlob, type readPointer } from "./publish.ts";

/** All of a manifest that its parts decide, and not the state of the store or the clock. */
export type VersionContent = Omit<Manifest, "format" | "created" | "parent" | "binding">;

/** What became of a publication. */
export interface Published {
  readonly version: string;
  /** False where the store held this very version already. */
  readonly changed: boolean;
  readonly manifest: Manifest;
}

/**
 * Publishes blobs that are in the store already. `base` is the pointer as it was before the run
 * began. Throws `store/conflict` when another run won meanwhile and `store/unavailable` when the
 * store does not say who won.
 */
export async function publishVersion(
  store: WriteStore,
  content: VersionContent,
  base: Awaited<ReturnType<typeof readPointer>>,
  now: Date,
): Promise<Published> {
  const { index, model, tasks, fusion, counts, fields, build, blobs } = content;
  const manifest: Manifest = {
    format: 1,
    index,
    created: now.toISOString(),
    parent: (base?.pointer.manifest.sha256 ?? null) as Sha256 | null,
    model,
    binding: await bindingHash({
      encoder: model.encoder,
      dimension: model.dimension,
      vocabulary: model.vocabulary,
      tokenizer: blobs.find(({ role }) => role === "tokenizer")!.sha256,
      tables: tasks.map(({ table }) => table),
    }),
    tasks,
    fusion,
    counts,
    fields,
    ...(build === undefined ? {} : { build }),
    blobs: orderBlobs(blobs),
  };
  if (base !== null) {
    const current = await loadManifest(store, base.pointer.manifest);
    if (sameContent(current, manifest)) {
      const version = versionOf(base.pointer.seq, base.pointer.manifest.sha256);
      return { version, changed: false, manifest: current };
    }
  }
  const bytes = serializeManifest(manifest);
  parseManifest(bytes);
  const outcome = await commit(store, index, { manifest: bytes, blobs: manifest.blobs, base });
  if (outcome.kind === "committed") {
    const version = versionOf(outcome.pointer.seq, outcome.pointer.manifest.sha256);
    return { version, changed: true, manifest };
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

/** How a version is written: in answers, on the command line, in logs. */
function versionOf(seq: number, sha256: string): string {
  return `${seq}-${sha256.slice(0, 8)}`;
}

/** The blobs in the manifest's order. */
function orderBlobs(blobs: readonly BlobEntry[]): readonly BlobEntry[] {
  return BLOB_ROLES.flatMap((role) => blobs.filter((blob) => blob.role === role));
}

/** Whether two versions differ in nothing but when they were made and from what. */
function sameContent(a: Manifest, b: Manifest): boolean {
  const plain = (manifest: Manifest) =>
    new TextDecoder().decode(serializeManifest({ ...manifest, created: b.created, parent: null }));
  return plain(a) === plain(b);
}

/** Puts files into the store as they are made and keeps count. */
export class Publisher {
  readonly #store: WriteStore;
  bytesWritten = 0;

  constructor(store: WriteStore) {
    this.#store = store;
  }

  async put(file: WrittenFile): Promise<BlobFacts> {
    const { written } = await putBlob(this.#store, file.bytes);
    if (written) this.bytesWritten += file.bytes.length;
    return { key: blobKey(file.sha256), sha256: file.sha256, bytes: file.bytes.length, head: file.head };
  }
}
