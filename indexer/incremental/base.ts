/** The version that a run builds upon, as far as a run needs it: which documents live where, and what they said. */

import { uint32s } from "../../shared/format/bytes.ts";
import { type Documents, openDocuments } from "../../shared/format/documents.ts";
import { idAt } from "../../shared/format/ids.ts";
import { loadEnvelope, loadManifest, openRanged } from "../../shared/format/load.ts";
import { blobsOf, type DocumentsBlob, type Manifest, type ShardBlob } from "../../shared/format/manifest.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import { readShardMeta } from "../../shared/format/shard.ts";
import { deadByShard, readTombstones } from "../../shared/format/tombstones.ts";
import type { ReadStore } from "../../shared/store/store.ts";

/** A shard of the base. */
export interface BaseShard {
  readonly shard: ShardBlob;
  readonly documents: DocumentsBlob;
  /** Ids, ascending; dead ones are among them. */
  readonly ids: readonly string[];
  /** `contentDigest` of each; null where the shard is of a time before digests. */
  readonly digests: readonly string[] | null;
  /** Chunks of each. */
  readonly chunks: readonly number[];
  readonly dead: ReadonlySet<number>;
  /** The documents file, open; its blocks are read when asked for. */
  readonly file: Documents;
}

/** The version that was current when the run began. */
export interface Base {
  readonly stored: StoredPointer;
  readonly manifest: Manifest;
  readonly shards: readonly BaseShard[];
}

/** Where a live document of the base lies. */
export interface BasePlace {
  readonly shard: number;
  readonly row: number;
}

/** Reads a version's ids, digests and tombstones. Cost: two planned reads for each shard, one for its documents; no vectors, postings or texts. */
export async function readBase(store: ReadStore, stored: StoredPointer): Promise<Base> {
  const manifest = await loadManifest(store, stored.pointer.manifest);
  const entries = blobsOf(manifest, "shard");
  const [tombstones] = blobsOf(manifest, "tombstones");
  const dead =
    tombstones === undefined
      ? []
      : deadByShard(readTombstones(await loadEnvelope(store, tombstones)), entries.length);
  const shards: BaseShard[] = [];
  for (const [at, shard] of entries.entries()) {
    const documents = blobsOf(manifest, "documents")[at]!;
    const file = await openDocuments(await openRanged(store, documents));
    shards.push({
      shard,
      documents,
      ...(await readIds(store, shard)),
      digests: await file.digests(),
      dead: new Set(dead[at] ?? []),
      file,
    });
  }
  return { stored, manifest, shards };
}

/** The live documents of a base by id. */
export function liveOf({ shards }: Pick<Base, "shards">): ReadonlyMap<string, BasePlace> {
  const live = new Map<string, BasePlace>();
  shards.forEach(({ ids, dead }, shard) => {
    ids.forEach((id, row) => {
      if (!dead.has(row)) live.set(id, { shard, row });
    });
  });
  return live;
}

async function readIds(store: ReadStore, entry: ShardBlob): Promise<Pick<BaseShard, "ids" | "chunks">> {
  const source = await openRanged(store, entry);
  const { documents } = readShardMeta(source.meta);
  const whole = async (name: string) =>
    (await source.read(name, [{ start: 0, end: source.bytes(name) }]))[0]!;
  const starts = async (name: string) => uint32s(await whole(name), documents + 1, `shard section ${name}`);
  const [ids, idStarts, owners] = await Promise.all([whole("ids"), starts("id_starts"), starts("owners")]);
  return {
    ids: Array.from({ length: documents }, (_, at) => idAt({ ids, idStarts }, at)),
    chunks: Array.from({ length: documents }, (_, at) => owners[at + 1]! - owners[at]!),
  };
}
