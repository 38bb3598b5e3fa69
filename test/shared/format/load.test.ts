import { beforeAll, describe, expect, it } from "vitest";
import { loadBlob, loadEnvelope, loadManifest, openRanged } from "../../../shared/format/load.ts";
import { type Manifest, serializeManifest } from "../../../shared/format/manifest.ts";
import { manifestKey } from "../../../shared/format/names.ts";
import { PLAN_LIMITS } from "../../../shared/format/plan.ts";
import { openEnvelopeHead } from "../../../shared/format/ranged.ts";
import { readTable } from "../../../shared/format/table.ts";
import { sha256 } from "../../../shared/hash.ts";
import { entryOf, flipped, refusal, storeOf } from "./helpers.ts";
import { makeSamples, type Samples, tableContent } from "./samples.ts";

let samples: Samples;
let objects: Map<string, Uint8Array<ArrayBuffer>>;
beforeAll(async () => {
  samples = await makeSamples();
  const files = [samples.tokenizer, samples.table, samples.shard, samples.documents];
  objects = new Map(files.map((file) => [entryOf(file, {}).key, file.bytes]));
});

const table = () => entryOf(samples.table, { role: "table" as const, task: "search" });

describe("loading a blob", () => {
  it("gives bytes that were checked, with one read", async () => {
    const store = storeOf(objects);
    const read = readTable(await loadEnvelope(store, table()));
    expect(read).toEqual(tableContent(samples.tokenizer.sha256));
    expect(store.reads).toHaveLength(1);
  });

  it.each([
    ["missing", () => null],
    ["a bit off", (body: Uint8Array<ArrayBuffer>) => flipped(body, 4000)],
    ["short by a byte", (body: Uint8Array<ArrayBuffer>) => body.slice(0, -1)],
    ["empty", () => new Uint8Array(0)],
    ["long by a byte", (body: Uint8Array<ArrayBuffer>) => new Uint8Array([...body, 0])],
  ])("heals when it is %s once, and names the key when it stays so", async (what, spoil) => {
    const once = storeOf(objects, (body, read) => (read === 0 ? spoil(body) : body));
    expect(await loadBlob(once, table())).toEqual(samples.table.bytes);
    const always = storeOf(objects, spoil);
    const failed = loadBlob(always, table());
    const code = what === "missing" ? "blob/missing" : "blob/corrupt";
    await expect(failed).rejects.toMatchObject({ code, details: { blob: table().key } });
    expect(always.reads).toHaveLength(2);
  });

  it("does not repeat what the store itself refuses", async () => {
    const store = storeOf(objects, () => {
      throw new Error("no network");
    });
    await expect(loadBlob(store, table())).rejects.toThrow("no network");
    expect(store.reads).toHaveLength(1);
  });

  it("refuses a blob of another kind and a wrong digest of the head, with the key", async () => {
    const shardAsTable = { ...entryOf(samples.shard, {}), role: "table" as const, task: "search" };
    const failed = loadEnvelope(storeOf(objects), shardAsTable);
    await expect(failed).rejects.toMatchObject({
      code: "format/invalid",
      details: { blob: shardAsTable.key },
    });
    const head = { ...table().head, sha256: samples.shard.sha256 };
    expect(await refusal(() => loadEnvelope(storeOf(objects), { ...table(), head }))).toBe("blob/corrupt");
  });
});

describe("reading a blob by range", () => {
  it("gives each range, in the order asked, with one read for near ones", async () => {
    const store = storeOf(objects);
    const source = await openRanged(store, table());
    const rows = tableContent(samples.tokenizer.sha256).rows;
    const ranges = [
      { start: 64, end: 128 },
      { start: 0, end: 10 },
      { start: 5, end: 5 },
    ];
    expect(await source.read("rows", ranges)).toEqual([
      rows.slice(64, 128),
      rows.slice(0, 10),
      new Uint8Array(0),
    ]);
    expect(source.bytes("rows")).toBe(192);
    expect(store.reads.slice(1)).toEqual([[table().key, table().head.bytes, table().bytes]]);
  });

  it("brings blocks with the head where asked, checked, and for the first read alone", async () => {
    const store = storeOf(objects);
    const source = await openRanged(store, table(), PLAN_LIMITS, 1);
    const rows = tableContent(samples.tokenizer.sha256).rows;
    expect(store.reads).toEqual([[table().key, 0, table().bytes]]);
    for (const reads of [1, 2]) {
      expect(await source.read("rows", [{ start: 64, end: 128 }])).toEqual([rows.slice(64, 128)]);
      expect(store.reads).toHaveLength(reads);
    }
    const last = table().bytes - 1;
    const bent = storeOf(objects, (body) => body.map((byte, at) => (at === last ? byte ^ 1 : byte)));
    expect(await refusal(() => openRanged(bent, table(), PLAN_LIMITS, 1))).toBe("blob/corrupt");
  });

  it("refuses ranges outside a section and sections that are not there", async () => {
    const source = await openRanged(storeOf(objects), table());
    for (const [start, end] of [
      [0, 193],
      [-1, 5],
      [5, 4],
      [0, 2 ** 53],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const) {
      expect(await refusal(() => source.read("rows", [{ start, end }]))).toBe("format/invalid");
    }
    expect(await refusal(() => source.read("columns", []))).toBe("format/invalid");
  });

  it("heals from one bad read and fails after two", async () => {
    for (const bad of [0, 1]) {
      const store = storeOf(objects, (body, read) => (read === bad ? body.slice(1) : body));
      const source = await openRanged(store, table());
      await source.read("rows", [{ start: 0, end: 1 }]);
      expect(store.reads).toHaveLength(3);
    }
    const gone = storeOf(objects, (body, read) => (read === 0 ? body : null));
    const source = await openRanged(gone, table());
    expect(await refusal(() => source.read("rows", [{ start: 0, end: 1 }]))).toBe("blob/missing");
  });

  it("verifies planned ranges only", async () => {
    const head = samples.table.bytes.slice(0, samples.table.head.bytes);
    const file = await openEnvelopeHead(head, { kind: "table", head: samples.table.head });
    const bytes = samples.table.bytes.slice(head.length, head.length + 64);
    const part = { start: head.length, end: head.length + 64 };
    expect(await refusal(() => file.verifyBlocks(part, bytes))).toBe("internal");
    expect(
      await refusal(() => file.verifyBlocks({ start: 0, end: file.fileBytes }, samples.table.bytes)),
    ).toBe("internal");
  });
});

describe("loading a manifest", () => {
  it("checks it against the pointer before it is parsed", async () => {
    const bytes = serializeManifest(samples.manifest);
    const digest = await sha256(bytes);
    const ref = { key: manifestKey("docs", digest), sha256: digest, bytes: bytes.length };
    const store = storeOf(new Map([[ref.key, bytes]]));
    expect(await loadManifest(store, ref)).toEqual<Manifest>(samples.manifest);
    const torn = storeOf(new Map([[ref.key, bytes]]), (body) => body.slice(0, 100));
    expect(await refusal(() => loadManifest(torn, ref))).toBe("blob/corrupt");
    expect(await refusal(() => loadManifest(store, { ...ref, bytes: 1e9 }))).toBe("format/invalid");
  });

  it("refuses the manifest of another index under this one's key", async () => {
    const bytes = serializeManifest({ ...samples.manifest, index: "other" });
    const digest = await sha256(bytes);
    const ref = { key: manifestKey("docs", digest), sha256: digest, bytes: bytes.length };
    expect(await refusal(() => loadManifest(storeOf(new Map([[ref.key, bytes]])), ref))).toBe(
      "format/invalid",
    );
  });
});
