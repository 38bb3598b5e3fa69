import { beforeAll, describe, expect, it } from "vitest";
import { type BuildOptions, type BuildReport, buildIndex } from "../../indexer/build.ts";
import { checkIndex } from "../../indexer/check.ts";
import type { Source } from "../../indexer/sources/source.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { type Fault, FaultStore } from "../helpers/fault-store.ts";
import { buildTiny, copyOf, openTiny, requestFor, TINY } from "../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../helpers/tiny-encoder.ts";

const DOCUMENTS = tinyDocuments(24);
const FIRST = sourceOf(DOCUMENTS);
const CHANGED = sourceOf([
  ...DOCUMENTS.slice(0, -1),
  documentOf("new", { text: "A rocket left the planet." }),
]);

type Built = BuildReport & { readonly store: MemoryStore };
let built: Built;
beforeAll(async () => {
  built = await buildTiny({ source: FIRST, shardChunks: 20 });
});

function again(store: BuildOptions["store"], options: Partial<BuildOptions> = {}): Promise<BuildReport> {
  return buildTiny({ source: FIRST, shardChunks: 20, store, ...options });
}

const seqOf = (version: string) => Number(version.split("-")[0]);

describe("a second run over the same documents", () => {
  it("writes and publishes nothing", async () => {
    const store = new FaultStore(await copyOf(built.store));
    const report = await again(store, { now: () => new Date("2027-01-01T00:00:00Z") });
    expect(report).toMatchObject({ changed: false, bytesWritten: 0, version: built.version });
    expect(report.manifest).toEqual(built.manifest);
    expect(store.log.filter((entry) => entry.startsWith("put"))).toEqual([]);
  });

  it("gives the same bytes in another store, in whatever order the source has them", async () => {
    const reversed = sourceOf([...DOCUMENTS].reverse());
    const other = await buildTiny({ source: reversed, shardChunks: 20 });
    expect(other.manifest.blobs).toEqual(built.manifest.blobs);
    expect(other.version).toBe(built.version);
  });
});

describe("a changed document", () => {
  it("gives the next version, which names the one before and keeps what did not change", async () => {
    const store = await copyOf(built.store);
    const report = await again(store, { source: CHANGED });
    expect(report.changed).toBe(true);
    expect(seqOf(report.version)).toBe(2);
    expect(report.manifest.parent?.slice(0, 8)).toBe(built.version.split("-")[1]);
    const tokenizer = ({ manifest }: BuildReport) => blobsOf(manifest, "tokenizer");
    expect(tokenizer(report)).toEqual(tokenizer(built));
    const kept = new Set(built.manifest.blobs.map(({ key }) => key));
    const fresh = report.manifest.blobs.filter(({ key }) => !kept.has(key));
    expect(report.bytesWritten).toBe(fresh.reduce((sum, { bytes }) => sum + bytes, 0));
    expect((await openTiny(store)).version).toBe(report.version);
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
  });

  it("is found, and the one that it replaced is not", async () => {
    const store = await copyOf(built.store);
    await again(store, { source: CHANGED });
    const index = await openTiny(store);
    expect(await index.document(DOCUMENTS.at(-1)!.id)).toBeNull();
    const { hits } = await index.search(requestFor("rocket planet", { limit: 3 }));
    expect(hits.map(({ id }) => id)).toContain("new");
  });
});

describe("what the manifest says", () => {
  it("counts documents, chunks and rejected records, and names the kinds of the fields", async () => {
    const { manifest, store } = await buildTiny({ source: sourceOf(DOCUMENTS, 3) });
    const report = await checkIndex(store, TINY);
    expect(manifest.counts).toEqual({ documents: 24, chunks: report.chunks, rejected: 3 });
    expect(manifest.fields).toEqual([
      { name: "ok", kind: "boolean" },
      { name: "tags", kind: "list" },
      { name: "text", kind: "text" },
      { name: "title", kind: "text" },
      { name: "year", kind: "number" },
    ]);
    expect(manifest).toMatchObject({ index: TINY, parent: null, created: "2026-01-31T12:00:00.000Z" });
  });

  it("has a table for each task, the default first", async () => {
    const tasks = {
      search: { query_prompt: "", document_prompt: "" },
      same: { query_prompt: "same: ", document_prompt: "" },
    };
    const encoder = tinyEncoder({ tasks });
    const { manifest } = await buildTiny({ source: FIRST, encoder, tasks: ["same", "search"] });
    expect(manifest.tasks.map(({ name, query_prompt }) => [name, query_prompt])).toEqual([
      ["same", "same: "],
      ["search", ""],
    ]);
    expect(blobsOf(manifest, "table").map(({ task }) => task)).toEqual(["same", "search"]);
  });

  it("is refused before anything is read for a task that is unknown, twice there, or of documents encoded otherwise", async () => {
    const tasks = {
      search: { query_prompt: "", document_prompt: "" },
      same: { query_prompt: "same: ", document_prompt: "" },
      title: { query_prompt: "", document_prompt: "title: " },
    };
    const encoder = tinyEncoder({ tasks });
    for (const [named, words] of [
      [["nope"], 'The model has no task "nope"; it has search, same, title.'],
      [["same", "same"], "The task same is named twice."],
      [["same", "title"], "The task title has another document_prompt in model.json than same"],
    ] as const)
      await expect(buildTiny({ encoder, tasks: [...named] })).rejects.toMatchObject({
        code: "usage/invalid",
        message: expect.stringContaining(words),
        details: { field: "task" },
      });
    expect(encoder.encoded).toEqual([]);
  });
});

describe("table bits", () => {
  it("of every width give an index that opens and finds, the wider the larger", async () => {
    const sizes = [];
    for (const bits of [2, 3, 4, 8] as const) {
      const { store, tableBytes } = await buildTiny({ source: FIRST, bits });
      sizes.push(tableBytes);
      const { hits } = await (await openTiny(store)).search(requestFor("harbour", { mode: "sparse" }));
      expect(hits.map(({ id }) => id)).toContain("one-word");
    }
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });
});

describe("an encoder without learned impacts", () => {
  it("gives an index whose sparse side is the words themselves", async () => {
    const { store } = await buildTiny({ source: FIRST, encoder: tinyEncoder({ sparse: false }) });
    const index = await openTiny(store);
    const { hits } = await index.search(requestFor("telescope", { mode: "sparse", limit: 100 }));
    const has = DOCUMENTS.filter(({ fields }) => /telescope/iu.test(`${fields.title} ${fields.text}`));
    expect(hits.map(({ id }) => id).sort()).toEqual(has.map(({ id }) => id).sort());
  });
});

describe("an empty source", () => {
  it("is refused with its name, and what was published stays", async () => {
    const store = await copyOf(built.store);
    await expect(again(store, { source: sourceOf([], 2) })).rejects.toMatchObject({
      code: "source/invalid",
      message: expect.stringContaining("memory"),
    });
    expect((await openTiny(store)).version).toBe(built.version);
  });
});

describe("documents without any word", () => {
  it("give an index that answers with nothing", async () => {
    const { store } = await buildTiny({
      source: sourceOf([documentOf("a", {}), documentOf("b", { text: "" })]),
    });
    const index = await openTiny(store);
    expect((await index.search(requestFor("river"))).hits).toEqual([]);
    expect(await index.document("b")).toMatchObject({ id: "b" });
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
  });
});

describe("a run that dies", () => {
  it("at any write leaves a version that can be searched: the old one, or the new one after the last", async () => {
    const dry = new FaultStore(await copyOf(built.store));
    const done = await again(dry, { source: CHANGED });
    const writes = dry.log.flatMap((entry, at) => (entry.startsWith("put") ? [at] : []));
    expect(writes.length).toBeGreaterThan(5);
    for (const at of writes) {
      for (const fault of ["crash", "crash after"] as const satisfies readonly Fault[]) {
        const store = await copyOf(built.store);
        await expect(again(new FaultStore(store, at, fault), { source: CHANGED })).rejects.toThrow();
        const committed = fault === "crash after" && at === writes.at(-1);
        const index = await openTiny(store);
        expect(index.version).toBe(committed ? done.version : built.version);
        expect((await index.search(requestFor("river boat"))).hits.length).toBe(10);
        expect((await checkIndex(store, TINY)).problems).toEqual([]);
      }
    }
  });

  it("is made good by the next one", async () => {
    const store = await copyOf(built.store);
    const dry = new FaultStore(await copyOf(built.store));
    const done = await again(dry, { source: CHANGED });
    const last = dry.log.findLastIndex((entry) => entry.startsWith("put"));
    await expect(again(new FaultStore(store, last, "crash"), { source: CHANGED })).rejects.toThrow();
    const report = await again(store, { source: CHANGED });
    expect(report).toMatchObject({ changed: true, version: done.version, bytesWritten: 0 });
  });
});

describe("two runs at once", () => {
  it("end in a conflict for the slower one, and the quicker one's version serves", async () => {
    const store = await copyOf(built.store);
    let quicker: BuildReport | undefined;
    const slow: Source = {
      description: "slow",
      async *records() {
        quicker = await again(store, { source: CHANGED });
        yield* sourceOf(DOCUMENTS.slice(0, 20)).records();
      },
    };
    await expect(again(store, { source: slow })).rejects.toMatchObject({ code: "store/conflict" });
    expect((await openTiny(store)).version).toBe(quicker!.version);
    expect(seqOf(quicker!.version)).toBe(2);
  });

  it("leave an index that neither of them had seen to the quicker one", async () => {
    const store = new MemoryStore();
    const slow: Source = {
      description: "slow",
      async *records() {
        await again(store, { source: CHANGED });
        yield* FIRST.records();
      },
    };
    await expect(again(store, { source: slow })).rejects.toMatchObject({ code: "store/conflict" });
    expect(await (await openTiny(store)).document("new")).not.toBeNull();
  });
});

describe("progress", () => {
  it("is told stage by stage, each begun and ended once", async () => {
    const events: string[] = [];
    const progress = {
      stage: (name: string) => {
        events.push(`begin ${name}`);
        return { advance: () => {}, done: () => events.push(`end ${name}`) };
      },
      warn: () => {},
    };
    await buildIndex(
      {
        index: TINY,
        source: FIRST,
        encoder: tinyEncoder(),
        store: new MemoryStore(),
        tasks: [],
        bits: 3,
        weight: 0.5,
        overlapTokens: 0,
        now: () => new Date(0),
      },
      progress,
    );
    const stages = [
      "read documents",
      "encode documents",
      "encode spans",
      "fit query table",
      "collect words",
      "write shards",
      "publish",
    ];
    expect(events).toEqual(stages.flatMap((name) => [`begin ${name}`, `end ${name}`]));
  });
});
