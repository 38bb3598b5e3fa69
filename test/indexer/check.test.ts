import { beforeAll, describe, expect, it } from "vitest";
import type { BuildReport } from "../../indexer/build.ts";
import { checkIndex } from "../../indexer/check.ts";
import { commit, readPointer } from "../../indexer/store/publish.ts";
import { Publisher } from "../../indexer/store/publish-version.ts";
import { readClusters } from "../../shared/format/clusters.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import {
  BLOB_ROLES,
  type BlobEntry,
  blobsOf,
  type DocumentsBlob,
  type Manifest,
  serializeManifest,
} from "../../shared/format/manifest.ts";
import { writeOverlay } from "../../shared/format/overlay.ts";
import { readShard, writeShard } from "../../shared/format/shard.ts";
import { writeTombstones } from "../../shared/format/tombstones.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { buildTiny, copyOf, TINY } from "../helpers/tiny-build.ts";

let built: BuildReport & { readonly store: MemoryStore };
beforeAll(async () => {
  built = await buildTiny({ shardChunks: 40 });
});

/** A store whose current manifest is this one, published in the way the indexer does. */
async function published(manifest: Manifest): Promise<MemoryStore> {
  const store = await copyOf(built.store);
  const base = await readPointer(store, TINY);
  const parent = base?.pointer.manifest.sha256 ?? null;
  await commit(store, TINY, {
    manifest: serializeManifest({ ...manifest, parent }),
    blobs: manifest.blobs,
    base,
  });
  return store;
}

describe("a check", () => {
  it("finds nothing wrong with a fresh index, and counts it", async () => {
    const report = await checkIndex(built.store, TINY);
    const { blobs, counts } = built.manifest;
    expect(report).toEqual({
      index: TINY,
      version: built.version,
      blobs: blobs.length,
      bytes: blobs.reduce((sum, blob) => sum + blob.bytes, 0),
      documents: counts.documents,
      chunks: counts.chunks,
      problems: [],
    });
  });

  it("names any blob of which one bit was flipped, and any that is gone", async () => {
    for (const { key } of built.manifest.blobs) {
      const damaged = await copyOf(built.store);
      const { body } = (await damaged.get(key))!;
      body[body.length >> 1]! ^= 1;
      await damaged.put(key, body);
      expect((await checkIndex(damaged, TINY)).problems).toContainEqual(expect.stringContaining(key));
      const gone = await copyOf(built.store);
      await gone.delete(key);
      expect((await checkIndex(gone, TINY)).problems).toContainEqual(expect.stringContaining(key));
    }
  });

  it("says which documents are stored as others where two files are exchanged", async () => {
    const [first, second] = blobsOf(built.manifest, "documents");
    const facts = ({ key, sha256, bytes, head }: DocumentsBlob) => ({ key, sha256, bytes, head });
    const swapped: Manifest = {
      ...built.manifest,
      blobs: built.manifest.blobs.map((blob): BlobEntry => {
        if (blob === first) return { ...first, ...facts(second!) };
        return blob === second ? { ...second, ...facts(first!) } : blob;
      }),
    };
    const { problems } = await checkIndex(await published(swapped), TINY);
    for (const ordinal of [0, 1])
      expect(problems.filter((problem) => problem.includes(`of shard ${ordinal} is stored as`))).not.toEqual(
        [],
      );
  });

  it("says where the manifest's counts differ from the shards'", async () => {
    const counts = { documents: 41, chunks: 1, rejected: 0 };
    const { problems } = await checkIndex(await published({ ...built.manifest, counts }), TINY);
    expect(problems).toEqual([
      expect.stringContaining("counts 41 documents and the shards 40"),
      expect.stringContaining("counts 1 chunks"),
    ]);
  });

  it("says which shard's codes are in other clusters than their vectors say", async () => {
    const { store: sound, manifest } = await buildTiny({ clustersFrom: 20 });
    const store = await copyOf(sound);
    const [entry] = blobsOf(manifest, "clusters");
    const [blob] = blobsOf(manifest, "shard");
    const file = readClusters(await loadEnvelope(store, entry!));
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
    const shard = readShard(await loadEnvelope(store, blob!));
    // All in the first cluster, which is what the format allows and no search should see.
    const starts = new Uint32Array(file.meta.clusters + 1).fill(shard.meta.chunks, 1);
    const chunks = Uint16Array.from({ length: shard.meta.chunks }, (_, at) => at);
    const put = await new Publisher(store).put(await writeShard({ ...shard, order: { starts, chunks } }));
    const blobs = manifest.blobs.map((other) => (other === blob ? { ...blob, ...put } : other));
    const base = await readPointer(store, TINY);
    const parent = base!.pointer.manifest.sha256;
    await commit(store, TINY, { manifest: serializeManifest({ ...manifest, blobs, parent }), blobs, base });
    expect((await checkIndex(store, TINY)).problems).toEqual([
      "Codes of shard 0 are in other clusters than those nearest to their vectors.",
    ]);
  });

  it("says where parts of two runs are mixed", async () => {
    const model = { ...built.manifest.model, dimension: 64 };
    const { problems } = await checkIndex(await published({ ...built.manifest, model }), TINY);
    expect(problems).toEqual([expect.stringMatching(/^Binding: .*differ in binding/u)]);
  });

  it("says which documents live twice, and which are said to be dead and are not there", async () => {
    const { store } = built;
    const parts = built.manifest.blobs.filter(({ role }) => role !== "shard" && role !== "documents");
    const [shard] = blobsOf(built.manifest, "shard");
    const [documents] = blobsOf(built.manifest, "documents");
    const twice = [0, 1].flatMap((ordinal) => [
      { ...shard!, ordinal },
      { ...documents!, ordinal },
    ]);
    const dead = await new Publisher(store).put(await writeTombstones([[1], [0, 9999]]));
    const blobs = BLOB_ROLES.flatMap((role) =>
      [...parts, ...twice, { role: "tombstones" as const, ...dead }].filter((blob) => blob.role === role),
    );
    const { problems } = await checkIndex(await published({ ...built.manifest, blobs }), TINY);
    expect(problems).toContainEqual(
      expect.stringMatching(/^Document .* lives in shard 0 and in shard 1\.$/u),
    );
    expect(problems).toContainEqual(expect.stringContaining("Document 9999 of shard 1 is said to be dead"));
  });

  it("reads an overlay", async () => {
    const overlay = await new Publisher(built.store).put(await writeOverlay({ entries: [], folded: [] }));
    const blobs = [...built.manifest.blobs, { role: "overlay" as const, ...overlay }];
    const store = await published({ ...built.manifest, blobs });
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
    await store.put(overlay.key, new Uint8Array(overlay.bytes));
    expect((await checkIndex(store, TINY)).problems).toEqual([expect.stringMatching(/^Overlay: /u)]);
  });

  it("reads an older version where it is named", async () => {
    const counts = { documents: 41, chunks: 1, rejected: 0 };
    const store = await published({ ...built.manifest, counts });
    expect((await checkIndex(store, TINY, { version: "1" })).problems).toEqual([]);
    expect((await checkIndex(store, TINY, { version: "2" })).problems).toHaveLength(2);
    await expect(checkIndex(store, TINY, { version: "3" })).rejects.toMatchObject({
      code: "version/not-found",
    });
  });

  it("refuses an index that is not there", async () => {
    await expect(checkIndex(new MemoryStore(), TINY)).rejects.toMatchObject({ code: "index/not-found" });
  });
});
