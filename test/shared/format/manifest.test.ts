import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { blobsOf, type Manifest, parseManifest, serializeManifest } from "../../../shared/format/manifest.ts";
import { canonicalJson } from "../../../shared/hash.ts";
import { refusalNow } from "./helpers.ts";
import { makeSamples } from "./samples.ts";

let good: Manifest;
beforeAll(async () => {
  good = (await makeSamples()).manifest;
});

const utf8 = (text: string) => new TextEncoder().encode(text);
const refusesText = (text: string) => refusalNow(() => parseManifest(utf8(text)));
const refuses = (change: object) => refusesText(canonicalJson({ ...good, ...change }));
const blob = (at: number, change: object) =>
  refuses({ blobs: good.blobs.map((b, i) => (i === at ? { ...b, ...change } : b)) });

describe("a manifest", () => {
  it("comes back equal, and to the same bytes", () => {
    const bytes = serializeManifest(good);
    expect(parseManifest(bytes)).toEqual(good);
    expect(serializeManifest(parseManifest(bytes))).toEqual(bytes);
  });

  it("gives its blobs by role", () => {
    expect(blobsOf(good, "table").map((entry) => entry.task)).toEqual(["search"]);
    expect(blobsOf(good, "shard").map((entry) => entry.ordinal)).toEqual([0]);
  });

  it("may have no shards", () => {
    expect(refuses({ blobs: good.blobs.slice(0, 2) })).toBe("none");
  });

  it("of a newer format or with an unknown field is unsupported, not invalid", () => {
    expect(refuses({ format: 2 })).toBe("format/unsupported");
    expect(refuses({ format: 2, blobs: "no longer a list" })).toBe("format/unsupported");
    expect(refuses({ signature: "x" })).toBe("format/unsupported");
    expect(() => parseManifest(utf8(canonicalJson({ ...good, format: 2 })))).toThrow(
      /version 2.*reads version 1/,
    );
  });

  it("is refused when it is not one canonical JSON object in UTF-8", () => {
    const text = canonicalJson(good);
    for (const other of [
      "",
      "null",
      "[]",
      "{}",
      " ",
      `${text}\n`,
      ` ${text}`,
      text.replace('"format":1', '"format":1.0'),
    ]) {
      expect(refusesText(other)).toBe("format/invalid");
    }
    expect(refusesText(`{"parent":null,${text.slice(1)}`)).toBe("format/invalid");
    expect(refusalNow(() => parseManifest(Uint8Array.of(0x22, 0xff, 0x22)))).toBe("format/invalid");
    expect(refusesText(`\ufeff${text}`)).toBe("format/invalid");
    expect(refusesText("[".repeat(1_000_000))).toBe("format/invalid");
    expect(refusalNow(() => parseManifest(new Uint8Array(4 * 1024 * 1024 + 1)))).toBe("format/invalid");
  });

  it("is refused with any field missing or of another kind", () => {
    for (const name of Object.keys(good)) {
      for (const value of [undefined, true, {}, [], "\ud800", 0.5, -1]) {
        expect(refuses({ [name]: value }), `${name}: ${JSON.stringify(value)}`).toBe(
          name === "fields" && Array.isArray(value) ? "none" : "format/invalid",
        );
      }
    }
  });

  it("is refused with values outside their bounds", () => {
    expect(refuses({ index: "../other" })).toBe("format/invalid");
    expect(refuses({ index: "" })).toBe("format/invalid");
    expect(refuses({ created: "2026-02-30T12:00:00.000Z" })).toBe("format/invalid");
    expect(refuses({ created: "yesterday" })).toBe("format/invalid");
    expect(refuses({ fusion: { rule: "minmax", weight: 1.5 } })).toBe("format/invalid");
    expect(refuses({ fusion: { rule: "sum", weight: 0.5 } })).toBe("format/invalid");
    expect(refuses({ counts: { ...good.counts, chunks: -1 } })).toBe("format/invalid");
    expect(refuses({ tasks: [good.tasks[0], good.tasks[0]] })).toBe("format/invalid");
  });

  it("may say how many tokens of a query count: 1 to 512", () => {
    const saying = (max_query_tokens: unknown) => refuses({ model: { ...good.model, max_query_tokens } });
    expect([1, 512].map(saying)).toEqual(["none", "none"]);
    expect([0, 513, 1.5, null].map(saying)).toEqual(Array(4).fill("format/invalid"));
  });

  it("is refused when its blobs are not one tokenizer, the tasks' tables, shards and documents", () => {
    const [tokenizer, table, shard, documents] = good.blobs;
    for (const blobs of [
      [],
      [table, tokenizer, shard, documents],
      [tokenizer, shard, documents],
      [tokenizer, table, shard],
      [tokenizer, table, documents, shard],
      [tokenizer, table, shard, documents, shard, documents],
      [tokenizer, tokenizer, table, shard, documents],
    ]) {
      expect(refuses({ blobs })).toBe("format/invalid");
    }
    expect(blob(2, { ordinal: 1 })).toBe("format/invalid");
    expect(blob(1, { task: "other" })).toBe("format/invalid");
  });

  it("may have one lexicon, behind the tables", () => {
    const [tokenizer, table, shard, documents] = good.blobs;
    const lexicon = { ...tokenizer!, role: "lexicon" as const };
    expect(refuses({ blobs: [tokenizer, table, lexicon, shard, documents] })).toBe("none");
    expect(refuses({ blobs: [tokenizer, table, lexicon] })).toBe("none");
    for (const blobs of [
      [tokenizer, lexicon, table, shard, documents],
      [tokenizer, table, shard, documents, lexicon],
      [tokenizer, table, lexicon, lexicon, shard, documents],
      [tokenizer, lexicon, shard, documents],
      [tokenizer, table, { ...lexicon, ordinal: 0 }, shard, documents],
    ]) {
      expect(refuses({ blobs })).not.toBe("none");
    }
  });

  it("may have clusters, behind the lexicon", () => {
    const [tokenizer, table, shard, documents] = good.blobs;
    const lexicon = { ...tokenizer!, role: "lexicon" as const };
    const clusters = { ...tokenizer!, role: "clusters" as const };
    expect(refuses({ blobs: [tokenizer, table, clusters, shard, documents] })).toBe("none");
    expect(refuses({ blobs: [tokenizer, table, lexicon, clusters, shard, documents] })).toBe("none");
    for (const blobs of [
      [tokenizer, table, clusters, lexicon, shard, documents],
      [tokenizer, table, clusters, clusters, shard, documents],
      [tokenizer, table, shard, documents, clusters],
    ]) {
      expect(refuses({ blobs })).toBe("format/invalid");
    }
  });

  it("is refused when a blob's key is not that of its digest", () => {
    for (const key of ["blobs/x", "../secret", `other/${good.blobs[2]?.key}`, good.blobs[1]?.key]) {
      expect(blob(2, { key })).toBe("format/invalid");
    }
    expect(blob(2, { bytes: 0 })).toBe("format/invalid");
    expect(blob(2, { bytes: 2 ** 53 })).toBe("format/invalid");
    expect(blob(2, { head: { bytes: good.blobs[2]!.bytes + 1, sha256: good.binding } })).toBe(
      "format/invalid",
    );
  });

  it("never ends in another error than a refusal, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(good)), (value, name) => {
        expect(["none", "format/invalid", "format/unsupported"]).toContain(refuses({ [name]: value }));
      }),
      { numRuns: 500 },
    );
  });
});
