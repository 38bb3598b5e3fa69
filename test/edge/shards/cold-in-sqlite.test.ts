/** Cold sections in rows, in a real SQLite, against the same in memory: to the bit, whatever room there is for rows. */
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ColdInSqlite } from "../../../edge/shards/cold-in-sqlite.ts";
import { RowCache } from "../../../edge/shards/row-cache.ts";
import { chunksPerRow, rowsOf } from "../../../edge/shards/rows.ts";
import { SecondTier } from "../../../edge/shards/second-tier.ts";
import { MemoryBudget } from "../../../shared/engine/budget.ts";
import { type ColdSections, coldInMemory } from "../../../shared/engine/cold-sections.ts";
import { BATCH_VECTORS, type HotShard, hotBytes, loadHotShard } from "../../../shared/engine/resident.ts";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { idAt } from "../../../shared/format/ids.ts";
import { readHotSections, type ShardFile, writeShard } from "../../../shared/format/shard.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { KIB, MIB } from "../../../shared/limits.ts";
import { makeSegment } from "../../../shared/segment/segment.ts";
import { SAMPLE_FACTS, sampleDocuments } from "../../helpers/sample-segment.ts";

type Storage = ConstructorParameters<typeof SecondTier>[0];

/** Storage of an object as far as a tier uses it. */
function storageOf(database: DatabaseSync): Storage {
  const buffer = (value: unknown) => (value instanceof Uint8Array ? value.slice().buffer : value);
  const exec = (query: string, ...values: readonly (string | number | Uint8Array)[]) => {
    statements++;
    const rows = database.prepare(query).all(...values);
    return {
      raw: () => rows.map((row) => Object.values(row).map(buffer)).values(),
      one: () => rows[0],
    };
  };
  const transactionSync = (work: () => void) => work();
  return { sql: { exec }, transactionSync } as unknown as Storage;
}
let statements = 0;

let file: ShardFile;
let hot: HotShard;
let memory: ColdSections;
let database: DatabaseSync;
let tier: SecondTier;

/** Documents of one to three chunks, and three that are longer than rows; their ids are of every length. */
function documents() {
  const all = sampleDocuments(700);
  for (const [at, times] of [
    [0, 70],
    [350, 31],
    [699, 90],
  ] as const) {
    const { chunks, passages, ...rest } = all[at]!;
    const many = Array.from({ length: times }, (_, i) => i);
    all[at] = {
      ...rest,
      chunks: many.map((i) => all[i]!.chunks[0]!),
      passages: many.map(() => passages[0]!),
    };
    expect(chunks.length).toBeGreaterThan(0);
  }
  return all.map((document, at) => ({ ...document, id: document.id + "x".repeat(at % 67) }));
}

beforeAll(async () => {
  file = makeSegment(documents(), SAMPLE_FACTS);
  const envelope = parseEnvelope((await writeShard(file)).bytes, "shard");
  const { shard } = await loadHotShard(
    file.meta,
    createReferenceKernels(hotBytes(file.meta)),
    async (space) => {
      for (const name of ["codes", "factors"] as const) space(name, envelope.section(name).length);
      return readHotSections(envelope);
    },
  );
  hot = shard;
  const kernels = createReferenceKernels(4 * MIB);
  const [vectors, rows, dots, query] = [
    file.vectors.length,
    ...[0, 0].map(() => 4 * file.meta.chunks),
    256,
  ].map((bytes) => kernels.allocate(bytes!)) as [number, number, number, number];
  kernels.bytes(vectors, file.vectors.length).set(new Uint8Array(file.vectors.buffer));
  memory = coldInMemory({ ...file, kernels, vectors, work: { rows, dots, query } });
  database = new DatabaseSync(":memory:");
  tier = new SecondTier(storageOf(database));
  tier.begin();
  const sink = tier.rowSink(file);
  // In parts of any length, the last first.
  const bytes = new Uint8Array(file.vectors.buffer.slice(0));
  const parts = Array.from({ length: Math.ceil(bytes.length / 3001) }, (_, part) => 3001 * part);
  for (const start of parts.reverse()) sink(start, bytes.slice(start, start + 3001));
});

const coldWith = (bytes: number) =>
  new ColdInSqlite(tier.sql, hot, new RowCache(new MemoryBudget(bytes), rowsOf(file.meta)));
const anyDocuments = fc
  .uniqueArray(fc.nat(699), { minLength: 1, maxLength: 400 })
  .map((some) => Uint32Array.from(some).sort());
const anyQuery = fc.array(fc.integer({ min: -2047, max: 2047 }), { minLength: 128, maxLength: 128 });

describe.each([
  ["no room", 0],
  ["room for some", 400 * KIB],
  ["room for all", MIB],
] as const)("cold sections in rows, with %s for them in memory", (_, bytes) => {
  it("score as those in memory do, and know the same of documents", () => {
    const cold = coldWith(bytes);
    fc.assert(
      fc.property(anyDocuments, anyQuery, (some, numbers) => {
        const query = Int16Array.from(numbers);
        const { dots, scales } = memory.score(some, query);
        expect(cold.score(some, query)).toEqual({ dots: dots.slice(), scales });
        expect(cold.facts(some)).toEqual(memory.facts(some));
        expect(cold.facts(some.slice())).toEqual(memory.facts(some));
      }),
      { numRuns: 30 },
    );
    expect(file.meta.chunks).toBeGreaterThan(4 * BATCH_VECTORS);
  });

  it("have every vector, and find every id and no other", () => {
    const cold = coldWith(bytes);
    for (let chunk = 0; chunk < file.meta.chunks; chunk += 7)
      expect(cold.vector(chunk)).toEqual(memory.vector(chunk));
    for (let document = 0; document < 700; document += 9) {
      const id = idAt(file, document);
      expect(cold.find(id)).toBe(document);
      expect(cold.find(`${id}!`)).toBe(-1);
    }
    expect([cold.find("a"), cold.find("z")]).toEqual([-1, -1]);
  });
});

describe("rows in memory", () => {
  it("are not read again while there is room, and are when they were cleared", () => {
    const cache = new RowCache(new MemoryBudget(MIB), rowsOf(file.meta));
    const cold = new ColdInSqlite(tier.sql, hot, cache);
    const all = Uint32Array.from({ length: 700 }, (_, at) => at);
    const reads = (work: () => void) => {
      const before = statements;
      work();
      return statements - before;
    };
    expect(reads(() => cold.facts(all))).toBeGreaterThan(0);
    expect(reads(() => cold.facts(all.slice()))).toBe(0);
    cache.clear();
    expect(reads(() => cold.facts(all.slice()))).toBeGreaterThan(0);
  });

  it("make room for claims, and count as free until then", () => {
    const budget = new MemoryBudget(MIB);
    const cold = new ColdInSqlite(tier.sql, hot, new RowCache(budget, rowsOf(file.meta)));
    const all = Uint32Array.from({ length: 700 }, (_, at) => at);
    cold.facts(all);
    expect(budget.usedBytes).toBe(0);
    expect(budget.claim(MIB)).not.toBeNull();
    expect(cold.facts(all.slice())).toEqual(memory.facts(all));
  });
});

describe("a row with one bit turned over", () => {
  it("is noticed wherever the bit is", () => {
    const [{ bytes: kept } = { bytes: null }] = database.prepare("SELECT bytes FROM rows WHERE at = 3").all();
    const sound = kept as Uint8Array;
    const put = database.prepare("UPDATE rows SET bytes = ? WHERE at = 3");
    const chunk = 3 * chunksPerRow(file.meta.padded);
    for (let bit = 0; bit < 8 * sound.length; bit += 13) {
      const bytes = sound.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      put.run(bytes);
      expect(() => coldWith(0).vector(chunk)).toThrow("storage is damaged");
    }
    for (const length of [0, 4, 7, sound.length - 4, sound.length - 1]) {
      put.run(sound.slice(0, length));
      expect(() => coldWith(0).vector(chunk)).toThrow("storage is damaged");
    }
    database.exec("UPDATE rows SET bytes = (SELECT bytes FROM rows WHERE at = 2) WHERE at = 3");
    expect(() => coldWith(0).vector(chunk)).toThrow("storage is damaged");
    database.exec("DELETE FROM rows WHERE at = 3");
    expect(() => coldWith(0).vector(chunk)).toThrow("storage is damaged");
    database.prepare("INSERT INTO rows VALUES (3, ?)").run(sound);
    expect(coldWith(0).vector(chunk)).toEqual(memory.vector(chunk));
  });
});
