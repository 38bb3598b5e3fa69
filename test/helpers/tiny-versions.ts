/** Real versions of the tiny index, built once and published as often as a test likes. */
import { Publisher, publishVersion, type VersionContent } from "../../indexer/store/publish-version.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import type { SourceDocument } from "../../shared/segment/document.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { buildTiny } from "./tiny-build.ts";
import { sourceOf } from "./tiny-corpus.ts";
import type { VersionsWorld } from "./versions.ts";

/** A version that was built, apart from any store. */
export interface BuiltVersion {
  readonly files: readonly WrittenFile[];
  readonly content: VersionContent;
}

/** Builds the documents of each version on top of the version before. */
export async function buildVersions(
  ...all: readonly (readonly SourceDocument[])[]
): Promise<readonly BuiltVersion[]> {
  const built: BuiltVersion[] = [];
  let store: WriteStore | undefined;
  for (const documents of all) {
    const made = await buildTiny({ source: sourceOf(documents), ...(store === undefined ? {} : { store }) });
    store ??= made.store;
    const files: WrittenFile[] = [];
    for (const { key, sha256, head } of made.manifest.blobs)
      files.push({ bytes: (await store.get(key))!.body, sha256, head });
    const { format: _, created: __, parent: ___, binding: ____, ...content } = made.manifest;
    built.push({ files, content });
  }
  return built;
}

/** Publishes a version in a world, under the name of an index. */
export async function publishBuilt(
  world: VersionsWorld,
  { files, content }: BuiltVersion,
  index = "docs",
  store: WriteStore = world.store,
): Promise<void> {
  const base = await readPointer(store, index);
  const publisher = new Publisher(store);
  for (const file of files) await publisher.put(file);
  await publishVersion(store, { ...content, index }, base, new Date(world.now), world.ports);
}
