/**
 * Wrote the samples of what versions that are added to are made of, which version 1 gained before its
 * first release: `node test/golden/make-v1-segments.ts`. Like the others they are never made again.
 */

import { writeFileSync } from "node:fs";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import type { FileKind } from "../../shared/format/head.ts";
import { type Manifest, serializeManifest } from "../../shared/format/manifest.ts";
import { entryOf } from "../shared/format/helpers.ts";
import { digestsSample, ENCODER, makeSamples, overlaySample, tombstonesSample } from "../shared/format/samples.ts";
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

const documents = await digestsSample();
const tombstones = await tombstonesSample();
const overlay = await overlaySample();
await saveFile("documents-digests", "documents", documents);
await saveFile("tombstones", "tombstones", tombstones);
await saveFile("overlay", "overlay", overlay);

const { manifest } = await makeSamples();
const [tokenizer, table, shard] = manifest.blobs;
const added: Manifest = {
  ...manifest,
  build: { recipe: ENCODER, mean_length: 12.5, impact_scale: 32, fitted: 2, changed: 1, origin: "site" },
  blobs: [
    tokenizer!,
    table!,
    shard!,
    entryOf(documents, { role: "documents" as const, ordinal: 0 }),
    entryOf(tombstones, { role: "tombstones" as const }),
    entryOf(overlay, { role: "overlay" as const }),
  ],
};
save("manifest-segments.json", serializeManifest(added));
