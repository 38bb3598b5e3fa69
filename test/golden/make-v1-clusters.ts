/**
 * Wrote the samples of clusters and of a shard in their order, which version 1 gained before its first
 * release: `node test/golden/make-v1-clusters.ts`. Like the others they are never made again.
 */

import { writeFileSync } from "node:fs";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import type { FileKind } from "../../shared/format/head.ts";
import { serializeManifest } from "../../shared/format/manifest.ts";
import { writeShard } from "../../shared/format/shard.ts";
import { entryOf } from "../shared/format/helpers.ts";
import { makeSamples, orderedShardContent } from "../shared/format/samples.ts";
import { contentOf } from "./contents.ts";

function save(name: string, bytes: Uint8Array | string): void {
  writeFileSync(new URL(`./v1/${name}`, import.meta.url), bytes, { flag: "wx" });
}

async function saveFile(name: string, kind: FileKind, file: WrittenFile): Promise<void> {
  const { bytes, sha256, head } = file;
  const content = await contentOf(bytes, { kind, sha256, head });
  save(`${name}.bin`, bytes);
  save(`${name}.json`, `${JSON.stringify({ kind, sha256, head, content }, null, 1)}\n`);
}

const { tokenizer, table, clusters, manifest } = await makeSamples();
const shard = await writeShard(orderedShardContent(tokenizer.sha256, table.sha256, clusters.sha256));
await saveFile("clusters", "clusters", clusters);
await saveFile("shard-clusters", "shard", shard);

const [first, second, , documents] = manifest.blobs;
const blobs = [
  ...[first!, second!, entryOf(clusters, { role: "clusters" as const })],
  ...[entryOf(shard, { role: "shard" as const, ordinal: 0 }), documents!],
];
save("manifest-clusters.json", serializeManifest({ ...manifest, blobs }));
