import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { putBlob, readPointer } from "../../../indexer/store/publish.ts";
import { publishVersion } from "../../../indexer/store/publish-version.ts";
import type { OpenIndex, WaitingWrite } from "../../../shared/engine/api.ts";
import { type FreshDocument, freshDocument } from "../../../shared/engine/fresh-document.ts";
import { openIndex } from "../../../shared/engine/open.ts";
import { loadShard } from "../../../shared/engine/resident.ts";
import { loadTable } from "../../../shared/engine/resident-table.ts";
import { DocumentsWriter } from "../../../shared/format/documents.ts";
import { compareIds } from "../../../shared/format/ids.ts";
import type { InboxEntry } from "../../../shared/format/inbox.ts";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { type BlobEntry, blobsOf } from "../../../shared/format/manifest.ts";
import { writeShard } from "../../../shared/format/shard.ts";
import { deadByShard, readTombstones, writeTombstones } from "../../../shared/format/tombstones.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { MIB } from "../../../shared/limits.ts";
import { makeSegment } from "../../../shared/segment/segment.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { type Fields, FUSION_RULES, MODES, type SearchAnswer } from "../../../shared/types.ts";
import { buildTiny, copyOf, openTiny, requestFor, TINY, tinyPorts } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER, TOPICS } from "../../helpers/tiny-encoder.ts";
import { entryOf } from "../../helpers/writes.ts";

const DOCUMENTS = tinyDocuments(90);
const ROOM = 16 * MIB;
/** Text of documents whose scores tie. */
const TIED = "river boat";
/** A version in a store, open. */
interface Version {
  readonly store: MemoryStore;
  readonly index: OpenIndex;
}

let store: MemoryStore;
let index: OpenIndex;
/** Its shards overlap, and some of their documents are dead. */
let merged: Version;

beforeAll(async () => {
  // Shards of one run, whose ids follow each other, which is the case that ranks leave to `first`.
  ({ store } = await buildTiny({ source: sourceOf(DOCUMENTS), shardChunks: 60 }));
  index = await openTiny(store, "wasm");
  merged = await published({ store, index }, [
    ...["d30", "m"].map((id, at) => entryOf(at, id, { text: TIED }, TINY)),
    entryOf(9, "d3", undefined, TINY),
  ]);
  // And again, so that documents which tie are in more than one of them.
  const more = ["a/b", "dd", "zz"].map((id, at) => entryOf(at, id, { text: TIED }, TINY));
  merged = await published(merged, more);
});

/** Writes in their order, as they wait. */
function waiting(writes: readonly (readonly [id: string, fields?: Fields])[]): readonly WaitingWrite[] {
  return writes.map(([id, fields], at) => ({ entry: entryOf(at, id, fields, TINY), bytes: 100 }));
}

const ids = ({ hits }: SearchAnswer) => hits.map(({ id }) => id);

describe("an index with writes laid over it", () => {
  it("finds what was put, by words, by meaning and by id, and shows its fields", async () => {
    const fields = { title: "New harbour", text: "A sailor sang of the new harbour.", year: 2026 };
    const laid = index.withWrites(waiting([["new", fields]]), ROOM);
    for (const mode of MODES) {
      const [first] = (await laid.search(requestFor("sailor sang new harbour", { mode, explain: true })))
        .hits;
      expect(first).toMatchObject({ id: "new", fields, passage: { start: 0, end: 33 } });
      expect(first!.snippet.marks.length).toBeGreaterThan(0);
      const dense = first!.explain!.words.reduce((sum, word) => sum + word.dense, 0);
      const sparse = first!.explain!.words.reduce((sum, word) => sum + word.sparse, 0);
      expect([dense, sparse]).toEqual([expect.closeTo(first!.dense, 6), expect.closeTo(first!.sparse, 6)]);
    }
    expect(await laid.document("new")).toEqual({ id: "new", fields, passages: [{ start: 0, end: 33 }] });
  });

  it("puts the new document in the place of the old one", async () => {
    const { hits } = await index.search(requestFor("bread cheese wine dinner"));
    expect(hits.map(({ id }) => id)).toContain("a/b");
    const laid = index.withWrites(waiting([["a/b", { text: "The comet and the moon." }]]), ROOM);
    expect((await laid.document("a/b"))!.fields).toEqual({ text: "The comet and the moon." });
    const all = await laid.search(requestFor("comet moon", { limit: 100 }));
    expect(ids(all).filter((id) => id === "a/b")).toHaveLength(1);
    expect(all.total).toBe(DOCUMENTS.length);
    const sparse = await laid.search(requestFor("bread", { mode: "sparse", limit: 100 }));
    expect(ids(sparse)).not.toContain("a/b");
  });

  it("hides what was deleted, and takes no notice of what is not there", async () => {
    const laid = index.withWrites(waiting([["twin-a"], ["nobody"]]), ROOM);
    expect(await laid.document("twin-a")).toBeNull();
    const all = await laid.search(requestFor("nurse doctor fever hospital", { limit: 100 }));
    expect(ids(all)).toContain("twin-b");
    expect(ids(all)).not.toContain("twin-a");
    expect(all.total).toBe(DOCUMENTS.length - 1);
  });

  it("goes by the newest write of a document", async () => {
    const writes = waiting([["x", { text: "river" }], ["x"], ["y"], ["y", { text: "river boat" }]]);
    const laid = index.withWrites(writes, ROOM);
    expect(await laid.document("x")).toBeNull();
    expect((await laid.document("y"))!.fields).toEqual({ text: "river boat" });
    expect(laid.waiting).toEqual(writes);
  });

  it("is the version again when nothing waits any more", async () => {
    const before = await (await openTiny(store, "wasm")).search(requestFor("river"));
    const laid = index.withWrites(waiting([["new", { text: "river" }]]), ROOM);
    expect(await laid.withWrites([], ROOM).search(requestFor("river"))).toEqual(before);
  });

  it("answers as the newest, whichever of its indexes is asked", async () => {
    const first = index.withWrites(waiting([["one", { text: "violin" }]]), ROOM);
    const second = first.withWrites(waiting([["two", { text: "violin" }]]), ROOM);
    expect(await first.search(requestFor("violin"))).toEqual(await second.search(requestFor("violin")));
    expect(await index.document("two")).not.toBeNull();
  });

  it("explains a hit rightly when another write comes before its document has been read", async () => {
    // Only a document of the version is read from the store, and the search waits for it there.
    const writes = waiting([["a-new", { text: "harbour sailor anchor" }]]);
    const laid = (await openTiny(await copyOf(store), "wasm")).withWrites(writes, ROOM);
    const request = requestFor("harbour sailor", { explain: true, limit: 30 });
    const expected = await laid.search(request);
    const fresh = (await openTiny(await copyOf(store), "wasm")).withWrites(writes, ROOM);
    const searching = fresh.search(request);
    // No larger, so it is put where the other one was.
    fresh.withWrites(waiting([["a-new", { text: "song" }]]), ROOM);
    expect((await searching).hits).toEqual(expected.hits);
  });

  it("does not take words for misspelt that were just written", async () => {
    const q = "harbours";
    const { corrections } = await index.withWrites([], ROOM).search(requestFor(q));
    const laid = index.withWrites(waiting([["new", { text: "harbours" }]]), ROOM);
    const answer = await laid.search(requestFor(q));
    // Without the write it is taken for another word; a test that the lexicon really does that.
    expect(corrections).toHaveLength(1);
    expect(answer.corrections).toBeUndefined();
    expect(ids(answer)[0]).toBe("new");
  });

  it("leaves the newest out where there is no room, and says so in every answer", async () => {
    const texts = (at: number) => ({ text: `river ${"boat ".repeat(200)} ${at}` });
    const writes = waiting(Array.from({ length: 10 }, (_, at) => [`n${at}`, texts(at)] as const));
    const all = index.withWrites(writes, ROOM);
    expect([all.left, all.unread]).toEqual([0, 0]);
    expect(index.withWrites(writes, all.waitingBytes).left).toBe(0);
    const some = index.withWrites(writes, all.waitingBytes - 1, 3);
    expect([some.left, some.unread]).toEqual([4, 3]);
    expect(some.waitingBytes).toBeLessThan(all.waitingBytes);
    const { hits, warnings } = await some.search(requestFor("river boat", { limit: 100 }));
    expect(hits.map(({ id }) => id)).toEqual(expect.arrayContaining(["n0", "n8"]));
    expect(hits.map(({ id }) => id)).not.toContain("n9");
    expect(warnings).toEqual([expect.stringContaining("4 documents that were written last are not in")]);
    expect(await some.document("n9")).toBeNull();
  });

  it("leaves out by when a document was last written, not first", async () => {
    const small = { text: "river" };
    const writes = waiting([
      ["a!", small],
      ["b!", small],
      ["a!", { text: "boat ".repeat(200) }],
    ]);
    const room = index.withWrites(writes.slice(1, 2), ROOM).waitingBytes;
    const laid = index.withWrites(writes, room);
    expect([await laid.document("a!"), (await laid.document("b!"))?.fields]).toEqual([null, small]);
  });

  it("gives what was put the length of a unit vector, as all documents have", async () => {
    const text = "violin piano melody";
    const laid = index.withWrites(waiting([["new", { text }]]), ROOM);
    const { hits } = await laid.search(requestFor(text, { mode: "dense" }));
    // It is encoded as the query is, so the cosine is 1 but for eight bits.
    expect(hits.find(({ id }) => id === "new")?.dense).toBeCloseTo(1, 2);
  });

  it("takes the memory of one shard for any number of writes after each other", async () => {
    let made = 0;
    const { openIndex } = await import("../../../shared/engine/open.ts");
    const kernels = (capBytes: number) => {
      made++;
      return createReferenceKernels(capBytes);
    };
    const own = await openIndex({ store, kernels, now: () => 0, region: "test" }, TINY);
    const loaded = made;
    for (let at = 1; at <= 200; at++) {
      const writes = Array.from(
        { length: 1 + (at % 20) },
        (_, i) => [`n${i}`, { text: `river ${at}` }] as const,
      );
      const laid = own.withWrites(waiting(writes), ROOM);
      expect((await laid.document("n0"))!.fields.text).toBe(`river ${at}`);
    }
    // Its space doubles, so it is made anew as often as the size has doubled.
    expect(made - loaded).toBeLessThan(10);
  });
});

/** A version of the same documents that has these writes in it: what the indexer would publish with the same vectors. */
async function published(version: Version, entries: readonly InboxEntry[]): Promise<Version> {
  const copy = await copyOf(version.store);
  const base = (await readPointer(copy, TINY))!;
  const { manifest } = version.index;
  const kernels = () => createReferenceKernels(16 * MIB);
  const table = await loadTable(copy, blobsOf(manifest, "table")[0]!, kernels());
  const shards = await Promise.all(
    blobsOf(manifest, "shard").map((blob) => loadShard(copy, blob, kernels())),
  );
  const tokenizer = loadTokenizer(TINY_TOKENIZER);
  const impactScale = shards[0]!.meta.impact_scale;
  const puts = new Map<string, FreshDocument>();
  for (const entry of entries)
    if (entry.op === "put")
      puts.set(entry.id, freshDocument(entry, { manifest, tokenizer, table, impactScale })!);
  const written = [...new Set(entries.map(({ id }) => id))];
  const [old] = blobsOf(manifest, "tombstones");
  const before =
    old === undefined ? [] : deadByShard(readTombstones(await loadEnvelope(copy, old)), shards.length);
  const dead = shards.map((shard, at) => {
    const found = written.map((id) => shard.cold.find(id)).filter((row) => row >= 0);
    return [...new Set([...(before[at] ?? []), ...found])].sort((a, b) => a - b);
  });
  const blobs: BlobEntry[] = manifest.blobs.filter(({ role }) => role !== "tombstones");
  if (puts.size > 0) {
    const documents = new DocumentsWriter();
    const own = [];
    for (const { numbers, record } of [...puts.values()].sort((a, b) =>
      compareIds(a.numbers.id, b.numbers.id),
    ))
      own.push({ ...numbers, place: await documents.add(record, "00".repeat(16)) });
    const shard = await writeShard(makeSegment(own, { ...shards[0]!.meta }));
    const file = await documents.finish();
    const ordinal = shards.length;
    for (const [role, written] of [
      ["shard", shard],
      ["documents", file],
    ] as const) {
      const { key } = await putBlob(copy, written.bytes);
      const { sha256, head } = written;
      blobs.push({ role, ordinal, key, sha256, head, bytes: written.bytes.length });
    }
    dead.push([]);
  }
  if (dead.some((rows) => rows.length > 0)) {
    const file = await writeTombstones(dead);
    const { key } = await putBlob(copy, file.bytes);
    blobs.push({ role: "tombstones", key, sha256: file.sha256, head: file.head, bytes: file.bytes.length });
  }
  const { format: _, created: __, parent: ___, binding: ____, ...content } = manifest;
  await publishVersion(copy, { ...content, blobs }, base, new Date());
  return { store: copy, index: await openTiny(copy, "wasm") };
}

const word = fc.constantFrom(...TOPICS.flat());
const text = fc.array(word, { minLength: 0, maxLength: 12 }).map((words) => words.join(" "));
const someId = fc.oneof(
  fc.constantFrom(...DOCUMENTS.map(({ id }) => id)),
  // Just below documents of `merged` that tie.
  fc.constantFrom("a/a", "d3!", "d~", "l", "zy"),
  fc.constantFrom("", "0", "a/bb", "d5", "d50x", "m", "zz", "\u{1f300}", "\uffff").map((id) => `${id}!`),
);
const put = fc.oneof(fc.record({ title: text, text }), fc.constant({ text: TIED }));
const write = fc.record({ id: someId, fields: fc.option(put, { nil: undefined, freq: 3 }) });

describe("any writes laid over an index", () => {
  it("rank to the bit as a version that holds them, every mode, rule and page", async () => {
    const request = fc.record({
      q: fc.oneof(
        fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(" ")),
        fc.constant(TIED),
      ),
      mode: fc.constantFrom(...MODES),
      fusion: fc.constantFrom(...FUSION_RULES),
      limit: fc.constantFrom(1, 5, 100),
      offset: fc.constantFrom(0, 0, 3, 150),
      explain: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(write, { selector: ({ id }) => id, minLength: 1, maxLength: 12 }),
        fc.array(request, { minLength: 3, maxLength: 6 }),
        fc.boolean(),
        async (writes, requests, overlaps) => {
          const entries = writes.map(({ id, fields }, at) => entryOf(at, id, fields, TINY));
          const base = overlaps ? merged : { store, index };
          const { index: whole } = await published(base, entries);
          const laid = base.index.withWrites(
            entries.map((entry) => ({ entry, bytes: 100 })),
            ROOM,
          );
          for (const request of requests) {
            const { version: _, ...expected } = await whole.search({ ...request, typos: false });
            const { version: __, ...answer } = await laid.search({ ...request, typos: false });
            expect(answer).toEqual(expected);
          }
          for (const { id } of writes) expect(await laid.document(id)).toEqual(await whole.document(id));
        },
      ),
      { numRuns: 80 },
    );
  });
});

describe("writes laid one after the other", () => {
  it("make no shard until somebody searches, and then one", async () => {
    const ports = await tinyPorts(store, "wasm");
    let made = 0;
    const counting = {
      ...ports,
      kernels: (capBytes: number) => {
        made++;
        return ports.kernels(capBytes);
      },
    };
    let open = await openIndex(counting, TINY);
    const before = made;
    const all = waiting([...Array(40).keys()].map((number) => [`w${number}`, { text: TIED }] as const));
    for (let count = 1; count <= all.length; count++) open = open.withWrites(all.slice(0, count), ROOM);
    expect(made).toBe(before);
    expect(open.waitingBytes).toBeGreaterThan(0);
    const { hits } = await open.search(requestFor(TIED, { limit: 100 }));
    expect(hits.filter(({ id }) => /^w\d+$/u.test(id)).length).toBe(40);
    expect(made).toBe(before + 1);
    await open.search(requestFor(TIED));
    expect(made).toBe(before + 1);
  });
});
