import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openEnvelope, type WrittenFile } from "../../shared/format/envelope.ts";
import { blobsOf, parseManifest, serializeManifest } from "../../shared/format/manifest.ts";
import { parsePointer, serializePointer } from "../../shared/format/pointer.ts";
import { writeShard } from "../../shared/format/shard.ts";
import { writeTable } from "../../shared/format/table.ts";
import { sha256 } from "../../shared/hash.ts";
import {
  lexiconSample,
  makeSamples,
  orderedShardContent,
  phraseTableContent,
  tableContent,
  tieredTableContent,
} from "../shared/format/samples.ts";
import { contentOf, type Expectation } from "./contents.ts";

const folder = new URL("./v1/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".bin") && name !== "newer.bin")
  .map((name) => name.slice(0, -4))
  .sort();

describe("files of version 1", () => {
  it("are all here", () => {
    expect(names).toEqual([
      "clusters",
      "documents",
      "documents-digests",
      "documents-two-blocks",
      "lexicon",
      "overlay",
      "shard",
      "shard-clusters",
      "table-2",
      "table-3",
      "table-4",
      "table-8",
      "table-phrases",
      "table-tiers",
      "tokenizer",
      "tombstones",
    ]);
  });

  it.each(names)("%s reads as on the day it was written", async (name) => {
    const expected: Expectation = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
    expect(await contentOf(read(`${name}.bin`), expected)).toEqual(expected.content);
  });

  it("include a pointer and a manifest that it names", async () => {
    const bytes = read("manifest.json");
    const pointer = parsePointer(read("current.json"), "docs");
    expect(pointer.manifest).toMatchObject({ sha256: await sha256(bytes), bytes: bytes.length });
    expect(serializePointer(pointer)).toEqual(read("current.json"));
    expect(serializeManifest(parseManifest(bytes))).toEqual(bytes);
  });

  it("include a manifest with a lexicon", () => {
    const bytes = read("manifest-lexicon.json");
    const manifest = parseManifest(bytes);
    const { sha256: digest } = JSON.parse(readFileSync(new URL("lexicon.json", folder), "utf8"));
    expect(blobsOf(manifest, "lexicon").map((blob) => blob.sha256)).toEqual([digest]);
    expect(serializeManifest(manifest)).toEqual(bytes);
  });

  it("include a manifest with clusters, whose shard names them", () => {
    const bytes = read("manifest-clusters.json");
    const manifest = parseManifest(bytes);
    for (const [role, name] of [
      ["clusters", "clusters"],
      ["shard", "shard-clusters"],
    ] as const) {
      const { sha256: digest } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
      expect(blobsOf(manifest, role).map((blob) => blob.sha256)).toEqual([digest]);
    }
    expect(serializeManifest(manifest)).toEqual(bytes);
  });

  it("include a manifest of a version that was added to", () => {
    const bytes = read("manifest-segments.json");
    const manifest = parseManifest(bytes);
    expect(manifest.build).toMatchObject({ fitted: 2, changed: 1, origin: "site" });
    for (const role of ["tombstones", "overlay"] as const) {
      const { sha256: digest } = JSON.parse(readFileSync(new URL(`${role}.json`, folder), "utf8"));
      expect(blobsOf(manifest, role).map((blob) => blob.sha256)).toEqual([digest]);
    }
    expect(serializeManifest(manifest)).toEqual(bytes);
  });

  it("are still written bit for bit, so that unchanged content keeps its digest", async () => {
    // Documents are left out: their blocks are deflated by the runtime, whose output may change.
    const samples = await makeSamples();
    const written: Record<string, WrittenFile> = {
      tokenizer: samples.tokenizer,
      shard: samples.shard,
      lexicon: await lexiconSample(),
      tombstones: samples.tombstones,
      overlay: samples.overlay,
      clusters: samples.clusters,
      "shard-clusters": await writeShard(
        orderedShardContent(samples.tokenizer.sha256, samples.table.sha256, samples.clusters.sha256),
      ),
      "table-phrases": await writeTable(phraseTableContent(samples.tokenizer.sha256)),
      "table-tiers": await writeTable(tieredTableContent(samples.tokenizer.sha256)),
    };
    for (const bits of [2, 3, 4, 8] as const) {
      written[`table-${bits}`] = await writeTable(tableContent(samples.tokenizer.sha256, bits));
    }
    for (const [name, file] of Object.entries(written)) expect(file.bytes, name).toEqual(read(`${name}.bin`));
  });
});

describe("a file of a version to come", () => {
  it("is refused with both versions and a remedy", async () => {
    const bytes = read("newer.bin");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const head = {
      bytes: view.getUint32(8, true),
      sha256: await sha256(bytes.slice(0, view.getUint32(8, true))),
    };
    const open = openEnvelope(bytes, { kind: "tokenizer", sha256: await sha256(bytes), head });
    await expect(open).rejects.toMatchObject({ code: "format/unsupported" });
    await expect(open).rejects.toThrow(/version 2.*reads version 1/);
  });
});
