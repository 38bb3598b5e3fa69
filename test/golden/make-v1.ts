/**
 * Wrote the files of version 1, once: `node test/golden/make-v1.ts`. They are never made
 * again, for a file that an old release wrote is the only proof that it can still be read.
 * A change of the format gets a version, a script and a folder of its own.
 */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { DocumentsWriter } from "../../shared/format/documents.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import type { FileKind } from "../../shared/format/head.ts";
import { serializeManifest } from "../../shared/format/manifest.ts";
import { manifestKey } from "../../shared/format/names.ts";
import { serializePointer } from "../../shared/format/pointer.ts";
import { writeTable } from "../../shared/format/table.ts";
import { sha256 } from "../../shared/hash.ts";
import { resealed } from "../shared/format/helpers.ts";
import { DOCUMENTS, makeSamples, tableContent } from "../shared/format/samples.ts";
import { contentOf } from "./contents.ts";

const folder = new URL("./v1/", import.meta.url);
mkdirSync(folder, { recursive: true });
if (readdirSync(folder).length > 0) {
  throw new Error("test/golden/v1 is frozen. Give a new format version its own folder.");
}

function save(name: string, bytes: Uint8Array | string): void {
  writeFileSync(new URL(name, folder), bytes, { flag: "wx" });
}

async function keep(name: string, kind: FileKind, file: WrittenFile): Promise<void> {
  const { bytes, sha256: digest, head } = file;
  const content = await contentOf(bytes, { kind, sha256: digest, head });
  save(`${name}.bin`, bytes);
  save(`${name}.json`, `${JSON.stringify({ kind, sha256: digest, head, content }, null, 1)}\n`);
}

const samples = await makeSamples();
await keep("tokenizer", "tokenizer", samples.tokenizer);
for (const bits of [2, 3, 4, 8] as const) {
  await keep(`table-${bits}`, "table", await writeTable(tableContent(samples.tokenizer.sha256, bits)));
}
await keep("shard", "shard", samples.shard);
await keep("documents", "documents", samples.documents);

const writer = new DocumentsWriter();
for (const [at, document] of DOCUMENTS.entries()) {
  await writer.add({ ...document, fields: { ...document.fields, text: `${at} `.repeat(30_000) } });
}
await keep("documents-two-blocks", "documents", await writer.finish());

const manifest = serializeManifest(samples.manifest);
const digest = await sha256(manifest);
save("manifest.json", manifest);
save(
  "current.json",
  serializePointer({
    format: 1,
    seq: 7,
    commit_id: "000102030405060708090a0b0c0d0e0f",
    parent: null,
    manifest: { key: manifestKey("docs", digest), sha256: digest, bytes: manifest.length },
  }),
);

// What a release to come may write: readers of version 1 must refuse it by name.
const newer = await resealed(samples.tokenizer, (_, view) => view.setUint16(4, 2, true));
save("newer.bin", newer.bytes);
