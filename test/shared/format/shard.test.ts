import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { compareIds, findId, idAt, packIds } from "../../../shared/format/ids.ts";
import { readShard, type ShardFile, writeShard } from "../../../shared/format/shard.ts";
import { refusal } from "./helpers.ts";
import { ENCODER, noise, orderedShardContent, shardContent } from "./samples.ts";

const good = shardContent(ENCODER, ENCODER);
const refuses = (change: Partial<ShardFile>) => refusal(() => writeShard({ ...good, ...change }));
const refusesMeta = (change: Partial<ShardFile["meta"]>) => refuses({ meta: { ...good.meta, ...change } });

const id = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8, unit: "binary" }).filter((text) => text.isWellFormed()),
  fc.constantFrom(
    "a",
    "ab",
    "B",
    "\u0000",
    "\ufeff",
    "\uffff",
    "\u{10000}",
    "\u{1f4a1}",
    "é",
    "e\u0301",
    "x".repeat(512),
  ),
);
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 20 }).map((list) => list.sort(compareIds));
const shards = fc
  .record({ ids, seed: fc.integer({ min: 1 }), terms: fc.nat(5) })
  .map(({ ids: names, seed, terms }) => {
    const documents = names.length;
    const perDocument = [...noise(documents, seed)].map((byte) => 1 + (byte & 3));
    const owners = Uint32Array.of(0, ...perDocument).map(sumSoFar());
    const chunks = owners[documents]!;
    const postings = terms * documents;
    const shard: ShardFile = {
      meta: { ...good.meta, documents, chunks, terms, postings, vocabulary: 100 },
      codes: noise(16 * chunks, seed),
      factors: new Float32Array(chunks).fill(0),
      vectors: new Int8Array(noise(128 * chunks, seed).buffer),
      scales: new Float32Array(chunks).fill(2 ** -126),
      owners,
      passages: Uint32Array.from({ length: 2 * chunks }, (_, at) => (at % 2 === 0 ? 0 : 0xffffffff)),
      terms: Uint32Array.from({ length: terms }, (_, at) => 95 + at),
      starts: Uint32Array.from({ length: terms + 1 }, (_, at) => at * documents),
      rows: Uint16Array.from({ length: postings }, (_, at) => at % documents),
      impacts: noise(postings, seed).map((byte) => byte || 255),
      ...packIds(names),
      places: new Uint32Array(2 * documents),
    };
    return { shard, names };
  });

function sumSoFar(): (value: number) => number {
  let sum = 0;
  return (value) => {
    sum += value;
    return sum;
  };
}

describe("a shard file", () => {
  it("gives back what was written, and finds every id", async () => {
    await fc.assert(
      fc.asyncProperty(shards, async ({ shard, names }) => {
        const written = await writeShard(shard);
        const read = readShard(parseEnvelope(written.bytes, "shard"));
        expect(read).toEqual(shard);
        names.forEach((name, document) => {
          expect(idAt(read, document)).toBe(name);
          expect(findId(read, name)).toBe(document);
        });
        expect(findId(read, "no such document, and longer")).toBe(-1);
        expect(findId(read, "")).toBe(-1);
      }),
      { numRuns: 60 },
    );
  });

  it("orders ids by code point, not by UTF-16 unit", () => {
    expect(compareIds("\uffff", "\u{10000}")).toBeLessThan(0);
    expect("\uffff" < "\u{10000}").toBe(false);
  });

  it("holds 65,536 documents of one chunk and no more", async () => {
    const count = 65_536;
    const full: ShardFile = {
      ...good,
      meta: { ...good.meta, chunks: count, documents: count, terms: 1, postings: count },
      codes: new Uint8Array(16 * count),
      factors: new Float32Array(count),
      vectors: new Int8Array(128 * count),
      scales: new Float32Array(count).fill(1),
      owners: Uint32Array.from({ length: count + 1 }, (_, at) => at),
      passages: new Uint32Array(2 * count),
      terms: Uint32Array.of(0),
      starts: Uint32Array.of(0, count),
      rows: Uint16Array.from({ length: count }, (_, at) => at),
      impacts: new Uint8Array(count).fill(1),
      ...packIds(Array.from({ length: count }, (_, at) => String(at).padStart(5, "0"))),
      places: new Uint32Array(2 * count),
    };
    const written = await writeShard(full);
    expect(readShard(parseEnvelope(written.bytes, "shard")).rows[65_535]).toBe(65_535);
    expect(await refusal(() => writeShard({ ...full, meta: { ...full.meta, chunks: count + 1 } }))).toBe(
      "format/invalid",
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, -0, 2 ** -127])(
    "refuses the scale %d",
    async (scale) => {
      expect(await refuses({ scales: Float32Array.of(1, scale, 1) })).toBe("format/invalid");
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, -0, 2 ** -127])(
    "refuses the factor %d",
    async (factor) => {
      expect(await refuses({ factors: Float32Array.of(1, factor, 1) })).toBe("format/invalid");
    },
  );

  it.each<[string, Partial<ShardFile>]>([
    ["a document without chunks", { owners: Uint32Array.of(0, 0, 3) }],
    ["owners that do not begin with 0", { owners: Uint32Array.of(1, 2, 3) }],
    ["owners past the chunks", { owners: Uint32Array.of(0, 2, 4) }],
    ["owners that fall", { owners: Uint32Array.of(0, 4, 3) }],
    ["a passage that ends before it starts", { passages: Uint32Array.of(0, 12, 29, 13, 0, 0) }],
    ["terms out of order", { terms: Uint32Array.of(4, 2) }],
    ["a term twice", { terms: Uint32Array.of(2, 2) }],
    ["a term outside the vocabulary", { terms: Uint32Array.of(2, 5) }],
    ["a term without postings", { starts: Uint32Array.of(0, 3, 3) }],
    ["starts past the postings", { starts: Uint32Array.of(0, 1, 4) }],
    ["a posting of a document that is not there", { rows: Uint16Array.of(0, 0, 2) }],
    ["two postings of a document for one term", { rows: Uint16Array.of(0, 1, 1) }],
    ["postings out of order", { rows: Uint16Array.of(0, 1, 0) }],
    ["an impact of 0", { impacts: Uint8Array.of(255, 0, 1) }],
    ["ids out of order", packIds(["é", "a/1"])],
    ["an id twice", packIds(["a", "a"])],
    ["an empty id", packIds(["", "a"])],
    ["an id of 513 bytes", packIds(["a".repeat(513), "b"])],
    [
      "an id cut inside a character",
      { ids: Uint8Array.of(0x61, 0xc3, 0xa9), idStarts: Uint32Array.of(0, 2, 3) },
    ],
    ["ids that are not UTF-8", { ids: Uint8Array.of(0x61, 0xff), idStarts: Uint32Array.of(0, 1, 2) }],
    ["ids past their bytes", { idStarts: Uint32Array.of(0, 3, 9) }],
    ["codes of another length", { codes: new Uint8Array(47) }],
    ["vectors of another length", { vectors: new Int8Array(385) }],
    ["places of another length", { places: new Uint32Array(3) }],
  ])("refuses %s", async (_, change) => {
    expect(await refuses(change)).toBe("format/invalid");
  });

  it("refuses a meta outside its bounds", async () => {
    for (const change of [
      { documents: 0 },
      { documents: 4 },
      { chunks: 65_537 },
      { padded: 100 },
      { dimension: 200 },
      { posting_rows: "chunks" as "documents" },
      { impact_scale: 0 },
      { mix: -1 },
      { first_document: 2 ** 32 },
    ]) {
      expect(await refusesMeta(change), JSON.stringify(change)).toBe("format/invalid");
    }
  });

  it("may have its codes in the order of clusters, some of them empty", async () => {
    const file = orderedShardContent(ENCODER, ENCODER, ENCODER);
    const { bytes } = await writeShard(file);
    expect(readShard(parseEnvelope(bytes, "shard"))).toEqual(file);
  });

  it.each([
    ["an order of codes without clusters", { meta: good.meta }],
    ["clusters without an order of codes", { order: undefined }],
    ["another number of clusters", { starts: Uint32Array.of(0, 2, 3) }],
    ["clusters that do not begin with the first code", { starts: Uint32Array.of(1, 2, 2, 3) }],
    ["clusters that do not end with the last code", { starts: Uint32Array.of(0, 2, 2, 2) }],
    ["clusters that fall", { starts: Uint32Array.of(0, 3, 2, 3) }],
    ["an order of fewer chunks", { chunks: Uint16Array.of(0, 2) }],
    ["a chunk that comes twice", { chunks: Uint16Array.of(0, 2, 2) }],
    ["a chunk that is none", { chunks: Uint16Array.of(0, 3, 1) }],
    ["chunks that fall within a cluster", { chunks: Uint16Array.of(2, 0, 1) }],
  ])("refuses %s", async (_, change) => {
    const file = orderedShardContent(ENCODER, ENCODER, ENCODER);
    const changed =
      "starts" in change || "chunks" in change ? { order: { ...file.order!, ...change } } : change;
    const { order, ...rest } = { ...file, ...changed };
    const wrong = order === undefined ? rest : { ...rest, order };
    expect(await refusal(() => writeShard(wrong))).toBe("format/invalid");
  });
});
