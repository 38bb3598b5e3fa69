import { beforeAll, describe, expect, it } from "vitest";
import { readClusters } from "../../../shared/format/clusters.ts";
import { openDocuments } from "../../../shared/format/documents.ts";
import {
  type Envelope,
  openEnvelope,
  parseEnvelope,
  type WrittenFile,
} from "../../../shared/format/envelope.ts";
import type { FileKind } from "../../../shared/format/head.ts";
import { readLexicon } from "../../../shared/format/lexicon.ts";
import { openRanged } from "../../../shared/format/load.ts";
import { BLOB_ROLES, parseManifest, serializeManifest } from "../../../shared/format/manifest.ts";
import { readOverlay, unpackOverlay } from "../../../shared/format/overlay.ts";
import { wholeSource } from "../../../shared/format/ranged.ts";
import { readShard } from "../../../shared/format/shard.ts";
import { readTable } from "../../../shared/format/table.ts";
import { readTokenizerFile } from "../../../shared/format/tokenizer-file.ts";
import { readTombstones } from "../../../shared/format/tombstones.ts";
import { entryOf, flipped, refusal, refusalNow, storeOf } from "./helpers.ts";
import { makeSamples, type Samples } from "./samples.ts";

const KINDS: readonly FileKind[] = BLOB_ROLES;

let samples: Samples;
beforeAll(async () => {
  samples = await makeSamples();
});

/** Everything a reader does with a file, short of searching. */
async function use(envelope: Envelope): Promise<void> {
  if (envelope.kind === "table") readTable(envelope);
  else if (envelope.kind === "shard") readShard(envelope);
  else if (envelope.kind === "tokenizer") readTokenizerFile(envelope);
  else if (envelope.kind === "lexicon") readLexicon(envelope);
  else if (envelope.kind === "clusters") readClusters(envelope);
  else if (envelope.kind === "tombstones") readTombstones(envelope);
  else if (envelope.kind === "overlay") unpackOverlay(readOverlay(envelope));
  else {
    const documents = await openDocuments(wholeSource(envelope));
    for (const block of await documents.blocks([...documents.directory.sizes.keys()])) {
      for (let index = 0; index < block.records; index += 1) block.record(index);
    }
  }
}

function open(kind: FileKind, file: WrittenFile, bytes: Uint8Array<ArrayBuffer>): Promise<Envelope> {
  return openEnvelope(bytes, { kind, sha256: file.sha256, head: file.head });
}

/** Codes of all bits of a file, several at a time: hashing runs outside this thread. */
async function overBits(length: number, attempt: (bit: number) => Promise<string>): Promise<Set<string>> {
  const codes = new Set<string>();
  for (let byte = 0; byte < length; byte += 1) {
    const bits = Array.from({ length: 8 }, (_, bit) => attempt(8 * byte + bit));
    for (const code of await Promise.all(bits)) codes.add(code);
  }
  return codes;
}

describe.each(KINDS)("a damaged %s file", (kind) => {
  it("is refused for every single bit that may be turned over", async () => {
    const file = samples[kind];
    const codes = await overBits(file.bytes.length, (bit) =>
      refusal(() => open(kind, file, flipped(file.bytes, bit))),
    );
    expect(codes).toEqual(new Set(["blob/corrupt"]));
  });

  it("is refused for every bit when blocks are checked instead of the whole", async () => {
    const file = samples[kind];
    const expected = { kind, head: file.head };
    const codes = await overBits(file.bytes.length, (bit) =>
      refusal(() => openEnvelope(flipped(file.bytes, bit), expected)),
    );
    // Padding between sections is inside the blocks, so it is covered too.
    expect(codes).toEqual(new Set(["blob/corrupt"]));
  });

  it("is refused at every length but its own", async () => {
    const file = samples[kind];
    for (let length = 0; length < file.bytes.length; length += 1) {
      expect(await refusal(() => open(kind, file, file.bytes.slice(0, length)))).toBe("blob/corrupt");
      expect(refusalNow(() => parseEnvelope(file.bytes.slice(0, length), kind))).toBe("format/invalid");
    }
    const longer = new Uint8Array(file.bytes.length + 64);
    longer.set(file.bytes);
    expect(await refusal(() => open(kind, file, longer))).toBe("blob/corrupt");
    expect(await refusal(() => openEnvelope(longer, { kind, head: file.head }))).toBe("blob/corrupt");
    expect(refusalNow(() => parseEnvelope(longer, kind))).toBe("format/invalid");
  });

  it("never fails otherwise than by a refusal when no digest protects it", async () => {
    const file = samples[kind];
    const codes = await overBits(file.bytes.length, (bit) =>
      refusal(() => use(parseEnvelope(flipped(file.bytes, bit), kind))),
    );
    codes.delete("none");
    expect([...codes].sort()).toEqual(["format/invalid", "format/unsupported"]);
  });

  it("is refused with a page of zeros, another order of bytes, or as another file", async () => {
    const file = samples[kind];
    const zeroed = file.bytes.slice();
    zeroed.fill(0, file.head.bytes, file.head.bytes + 64);
    const turned = file.bytes.slice();
    turned.subarray(file.head.bytes).reverse();
    expect(await refusal(() => open(kind, file, zeroed))).toBe("blob/corrupt");
    expect(await refusal(() => open(kind, file, turned))).toBe("blob/corrupt");
    for (const other of KINDS.filter((name) => name !== kind)) {
      expect(await refusal(() => open(kind, file, samples[other].bytes))).toBe("blob/corrupt");
      const { sha256, head, bytes } = samples[other];
      expect(await refusal(() => openEnvelope(bytes, { kind, sha256, head }))).toBe("format/invalid");
    }
  });
});

describe("a damaged file read by range", () => {
  it("is refused for every bit of what was read, after one more read", async () => {
    const entry = entryOf(samples.documents, { role: "documents" as const, ordinal: 0 });
    const codes = await overBits(samples.documents.bytes.length, async (bit) => {
      const store = storeOf(new Map([[entry.key, flipped(samples.documents.bytes, bit)]]));
      return refusal(async () => (await openDocuments(await openRanged(store, entry))).blocks([0]));
    });
    expect(codes).toEqual(new Set(["blob/corrupt"]));
  });
});

describe("a damaged manifest", () => {
  it("is refused or another manifest, never a crash, for every bit and every length", () => {
    const bytes = serializeManifest(samples.manifest);
    const codes = new Set<string>();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      codes.add(refusalNow(() => parseManifest(flipped(bytes, bit))));
    }
    codes.delete("none");
    expect([...codes].sort()).toEqual(["format/invalid", "format/unsupported"]);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusalNow(() => parseManifest(bytes.slice(0, length)))).toBe("format/invalid");
    }
  });
});
