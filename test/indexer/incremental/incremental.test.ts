/** Runs that add to a version against runs that make everything anew with the same table. */
import { describe, expect, it } from "vitest";
import type { BuildOptions, BuildReport } from "../../../indexer/build.ts";
import { checkIndex } from "../../../indexer/check.ts";
import { sizeWarning } from "../../../indexer/incremental/guards.ts";
import { Random } from "../../../indexer/random.ts";
import type { SourceDocument } from "../../../indexer/sources/source.ts";
import { readPointer } from "../../../indexer/store/publish.ts";
import { blobsOf, residentBytesOf } from "../../../shared/format/manifest.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { buildTiny, copyOf, openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TOPICS, tinyEncoder } from "../../helpers/tiny-encoder.ts";

type Documents = readonly SourceDocument[];

/** Leaves the table alone, whatever the drift: these tests change most of a small corpus. */
const KEEP_TABLE = { refitDrift: Number.POSITIVE_INFINITY };

/** Indexes documents into a store, on top of what is there. */
function run(store: MemoryStore, documents: Documents, options: Partial<BuildOptions> = {}) {
  return buildTiny({ store, source: sourceOf(documents), allowShrink: true, ...options });
}

/** Answers to many queries in all modes, shallow and deep, without what names the version. */
async function answersOf(store: MemoryStore): Promise<unknown[]> {
  const index = await openTiny(store);
  const random = new Random(7);
  const answers: unknown[] = [];
  for (let at = 0; at < 25; at++) {
    const words = Array.from({ length: 1 + random.below(5) }, () => random.pick(random.pick(TOPICS)));
    for (const mode of ["hybrid", "dense", "sparse"] as const) {
      for (const limit of [10, 100]) {
        const {
          version: _,
          took_ms: __,
          ...rest
        } = await index.search(requestFor(words.join(" "), { mode, limit }));
        answers.push(rest);
      }
    }
  }
  return answers;
}

/** A change of some documents: some gone, some with another sentence, some new. */
function changed(documents: Documents, random: Random, step: number): SourceDocument[] {
  const kept = documents.filter(() => random.below(12) > 0);
  const edited = kept.map((document) =>
    random.below(10) > 0
      ? document
      : documentOf(document.id, { ...document.fields, text: `Step ${step}. ${document.fields.text ?? ""}` }),
  );
  const more = tinyDocuments(16 + 1 + random.below(9), 100 + step).slice(16);
  return [
    ...edited,
    ...more.map(({ id, fields }) => documentOf(`${random.pick(["a", "m", "z"])}${step}-${id}`, fields)),
  ];
}

describe("runs that add to a version", () => {
  it("answer to the bit as one run over everything with the same table, whatever the history", async () => {
    let tombstones = 0;
    let shards = 0;
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed);
      let documents: Documents = tinyDocuments(150, seed);
      const { store } = await buildTiny({ source: sourceOf(documents), shardChunks: 120 });
      for (let step = 1; step <= 6; step++) {
        documents = changed(documents, random, step);
        const { plan, manifest } = await run(store, documents, { shardChunks: 120, ...KEEP_TABLE });
        expect(plan.kind).toBe("some");
        expect((await checkIndex(store, TINY)).problems).toEqual([]);
        tombstones += blobsOf(manifest, "tombstones").length;
        shards = Math.max(shards, blobsOf(manifest, "shard").length);
      }
      const anew = await copyOf(store);
      const rebuilt = await run(anew, documents, { rebuild: "documents", ...KEEP_TABLE });
      expect(rebuilt.plan.kind).toBe("documents");
      expect(await answersOf(store)).toEqual(await answersOf(anew));
    }
    // Otherwise nothing was put to the test.
    expect(tombstones).toBeGreaterThan(5);
    expect(shards).toBeGreaterThan(2);
  });

  it("merge old shards into the very bytes that making them anew would give", async () => {
    const documents = tinyDocuments(80);
    const { store } = await buildTiny({ source: sourceOf(documents.filter((_, at) => at % 2 === 0)) });
    const merged = await run(store, documents, KEEP_TABLE);
    const anew = await run(await copyOf(store), documents, { rebuild: "documents", ...KEEP_TABLE });
    expect(merged.plan.kind).toBe("some");
    for (const role of ["shard", "documents", "lexicon"] as const)
      expect(blobsOf(merged.manifest, role)).toEqual(blobsOf(anew.manifest, role));
  });

  it("encode what is new and nothing else", async () => {
    const documents = tinyDocuments(60);
    const { store } = await buildTiny({ source: sourceOf(documents) });
    const encoder = tinyEncoder();
    const added = documentOf("zz", { text: "The comet passed the moon." });
    const { plan } = await run(store, [...documents.slice(0, -1), added], { encoder });
    expect(plan).toMatchObject({ kind: "some", added: 1, changed: 0, removed: 1, unchanged: 59 });
    expect(encoder.encoded).toEqual(["The comet passed the moon."]);
  });

  it("write nothing and call no encoder where nothing changed", async () => {
    const { store, version } = await buildTiny();
    const encoder = tinyEncoder();
    const again = await buildTiny({ store, encoder });
    expect(again).toMatchObject({ version, changed: false, bytesWritten: 0 });
    expect(again.plan).toMatchObject({ kind: "none", unchanged: 40 });
    expect(encoder.encoded).toEqual([]);
  });

  it("hide a document that is gone from answers, from counts and from reading by id", async () => {
    const documents = tinyDocuments(40);
    const { store } = await buildTiny();
    const { manifest } = await run(
      store,
      documents.filter(({ id }) => id !== "twin-a"),
    );
    expect(manifest.counts.documents).toBe(39);
    const index = await openTiny(store);
    expect(await index.document("twin-a")).toBeNull();
    const { hits, total } = await index.search(requestFor("nurse doctor fever hospital", { limit: 100 }));
    expect(total).toBe(39);
    expect(hits.map(({ id }) => id)).not.toContain("twin-a");
    expect(hits.map(({ id }) => id)).toContain("twin-b");
  });

  it("take a document back that was gone and came again", async () => {
    const documents = tinyDocuments(40);
    const { store } = await buildTiny();
    const before = await answersOf(store);
    await run(store, documents.slice(0, 39), KEEP_TABLE);
    await run(store, documents, KEEP_TABLE);
    expect(await answersOf(store)).toEqual(before);
  });

  it("keep few shards, however many runs there were", async () => {
    let documents: Documents = tinyDocuments(60);
    const { store } = await buildTiny({ source: sourceOf(documents) });
    let report: BuildReport | undefined;
    for (let step = 0; step < 24; step++) {
      documents = [...documents, documentOf(`n${step}`, { text: `A boat on the river, number ${step}.` })];
      report = await run(store, documents, KEEP_TABLE);
    }
    expect(blobsOf(report!.manifest, "shard").length).toBeLessThanOrEqual(6);
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
  });

  it("make everything anew where a setting changed, and say why", async () => {
    const { store } = await buildTiny();
    const { plan } = await buildTiny({ store, bits: 4 });
    expect(plan).toMatchObject({ kind: "all", reason: "the model or a setting is another" });
  });

  it("fit the table again once the corpus has drifted", async () => {
    const { store } = await buildTiny();
    const more = tinyDocuments(80, 9)
      .slice(16)
      .map(({ id, fields }) => documentOf(`x${id}`, fields));
    const { plan, manifest } = await run(store, [...tinyDocuments(40), ...more]);
    expect(plan).toMatchObject({
      kind: "all",
      reason: expect.stringMatching(/160 % of the documents changed/u),
    });
    expect(manifest.build).toMatchObject({ fitted: 104, changed: 0 });
  });
});

describe("a run that would do harm", () => {
  it("is refused where the source lost a fifth of its documents, before anything changes", async () => {
    const { store, version } = await buildTiny({ source: sourceOf(tinyDocuments(100)) });
    const few = sourceOf(tinyDocuments(100).slice(0, 70));
    await expect(buildTiny({ store, source: few })).rejects.toMatchObject({
      code: "source/shrank",
      details: { field: "allow-shrink", value: "30", limit: 20 },
    });
    expect((await checkIndex(store, TINY)).version).toBe(version);
    expect((await buildTiny({ store, source: few, allowShrink: true })).manifest.counts.documents).toBe(70);
  });

  it("is refused where another configuration keeps the index, unless it is told to take over", async () => {
    const { store } = await buildTiny({ origin: "site" });
    await expect(buildTiny({ store, origin: "blog" })).rejects.toMatchObject({ code: "index/taken" });
    await expect(buildTiny({ store })).rejects.toMatchObject({ code: "index/taken" });
    await buildTiny({ store, origin: "site" });
    const { manifest } = await buildTiny({ store, origin: "blog", takeOver: true });
    expect(manifest.build?.origin).toBe("blog");
  });
});

describe("an index that does not fit a Worker's memory", () => {
  it("is told by its size, with what becomes of it, and no other is", async () => {
    const { manifest } = await buildTiny();
    const bytes = residentBytesOf(manifest);
    expect(sizeWarning(manifest)).toBeNull();
    expect(sizeWarning(manifest, bytes)).toBeNull();
    expect(sizeWarning(manifest, bytes - 1)).toMatch(
      new RegExp(`takes ${bytes} bytes .* has ${bytes - 1} .* Durable Objects`, "u"),
    );
    const shards = blobsOf(manifest, "shard");
    const aside = bytes - shards.reduce((sum, shard) => sum + shard.bytes, 0);
    expect(sizeWarning(manifest, aside - 1)).toMatch(/its shards aside, .* index\/too-large/u);
    const many = {
      ...manifest,
      blobs: [...manifest.blobs, ...Array<(typeof shards)[0]>(64).fill(shards[0]!)],
    };
    expect(sizeWarning(many, bytes)).toMatch(/has 65 shards, and a query may touch 64/u);
  });
});

describe("an index that was damaged in the store", () => {
  it("is made whole by a run that makes everything anew, wherever the damage is", async () => {
    const built = await buildTiny();
    const keys = [...built.manifest.blobs.map(({ key }) => key), (await pointerOf(built.store)).manifest.key];
    for (const key of keys) {
      for (const damage of ["flipped", "gone"] as const) {
        const store = await copyOf(built.store);
        const { body } = (await store.get(key))!;
        body[body.length >> 1]! ^= 1;
        if (damage === "flipped") await store.put(key, body);
        else await store.delete(key);
        expect((await checkIndex(store, TINY).catch(() => null))?.problems, key).not.toEqual([]);
        await buildTiny({ store, rebuild: "all" });
        expect((await checkIndex(store, TINY)).problems, `${damage} ${key}`).toEqual([]);
      }
    }
  });

  it("is refused by other runs where they need what is damaged, with the way out", async () => {
    const { store } = await buildTiny();
    const damaged = await copyOf(store);
    await damaged.delete((await pointerOf(store)).manifest.key);
    await expect(buildTiny({ store: damaged })).rejects.toMatchObject({
      code: "blob/missing",
      message: expect.stringMatching(/--rebuild all/u),
    });
  });
});

async function pointerOf(store: MemoryStore) {
  return (await readPointer(store, TINY))!.pointer;
}
