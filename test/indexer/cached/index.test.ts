/** Indexes whose query table is the model's own: what is in them, and what making them costs. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BuildOptions } from "../../../indexer/build.ts";
import { decodeTable } from "../../../indexer/compress/decode-table.ts";
import { createRotation, ROTATION } from "../../../indexer/compress/rotate.ts";
import { cachedEncoder } from "../../../indexer/encode/cache.ts";
import { partEncoder } from "../../../indexer/encode/part.ts";
import { encodePart } from "../../../indexer/encode-part.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { CACHED_WEIGHT } from "../../../indexer/stages/query-rules.ts";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { readTable } from "../../../shared/format/table.ts";
import { bagOf } from "../../../shared/segment/impacts.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { buildTiny, openTiny, requestFor } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER, type TinyOptions, tinyEncoder, tinyRows } from "../../helpers/tiny-encoder.ts";
import { newFolder } from "./rows.ts";

const tokenizer = loadTokenizer(TINY_TOKENIZER);
const TASKS = {
  search: { query_prompt: "find: ", document_prompt: "" },
  same: { query_prompt: "same: ", document_prompt: "" },
};

/** Builds with a model that has a table of its own; how many passes it took, and which texts were encoded. */
async function build(options: Partial<BuildOptions> = {}, tiny: TinyOptions = {}) {
  const encoder = tinyEncoder({ queryTable: "cached", ...tiny });
  let opened = 0;
  const counting = {
    ...encoder,
    openRows: async () => {
      opened++;
      return tinyRows();
    },
  };
  const cache = options.cache ?? newFolder();
  const report = await buildTiny({ encoder: counting, cache, ...options });
  return {
    ...report,
    store: (options.store as MemoryStore | undefined) ?? report.store,
    cache,
    opened,
    encoder,
  };
}

async function tablesOf(store: ReadStore, manifest: Manifest) {
  const tables = [];
  for (const entry of blobsOf(manifest, "table")) tables.push(readTable(await loadEnvelope(store, entry)));
  return tables;
}

describe("an index of a model with a query table of its own", () => {
  it("holds the model's rows, fitted to nothing, and weighs each token of a query 1", async () => {
    const { store, manifest, encoder, opened, tableBytes } = await build({ bits: 8 });
    const [table] = await tablesOf(store, manifest);
    expect(table!.meta).toMatchObject({ source: "cached", bits: 8, task: "search" });
    expect(table!.meta.phrases).toBeUndefined();
    expect([...table!.weights].every((weight) => weight / table!.meta.weight_scale === 1)).toBe(true);
    expect(opened).toBe(1);
    expect(tableBytes).toBeGreaterThan(0);
    const decoded = decodeTable(table!);
    const ids = Array.from({ length: table!.meta.vocabulary }, (_, id) => id);
    const { data, stride } = await tinyRows().pass(ids);
    const rotation = createRotation(ROTATION, stride);
    for (const id of ids) {
      const wanted = data.slice(id * stride, (id + 1) * stride);
      rotation.apply(wanted, 0);
      const most = Math.max(...wanted.map(Math.abs));
      // 8 bits: within half a step, and what halves lose. Token 0 fills batches and has no row.
      decoded.row(id).forEach((value, j) => {
        expect(Math.abs(value - (id === 0 ? 0 : wanted[j]!))).toBeLessThan(most * 0.006);
      });
    }
    // Documents alone were encoded: no spans of them, no keywords.
    expect(new Set(encoder.encoded).size).toBeLessThanOrEqual(manifest.counts.chunks);
  });

  it("scores documents by counts of the query's tokens and learned impacts alone", async () => {
    const documents = tinyDocuments(60);
    const { store } = await build({ source: sourceOf(documents), weight: 0.5 });
    const index = await openTiny(store);
    const encoder = tinyEncoder();
    const query = "river river boat sea";
    const asked = bagOf(tokenizer.ids(query));
    const wanted = { role: "document", task: "search", dense: false, sparse: true } as const;
    for (const hit of (await index.search(requestFor(query, { mode: "sparse", limit: 20 }))).hits) {
      const { fields } = documents.find(({ id }) => id === hit.id)!;
      const text = `${fields.title ?? ""} ${fields.text ?? ""}`.trim();
      if (tokenizer.ids(text).length > 20) continue;
      const [encoding] = await encoder.encode([text], wanted);
      const impacts = new Map(
        Array.from(encoding!.sparse!.ids, (id, at) => [id, encoding!.sparse!.values[at]!]),
      );
      const sum = asked.ids.reduce((all, id, at) => all + asked.counts[at]! * (impacts.get(id) ?? 0), 0);
      // Each impact is rounded to one of 255 steps of the greatest, below 2.
      expect(Math.abs(hit.sparse! - sum), hit.id).toBeLessThan((asked.length * 2) / 255);
    }
  });

  it("has BM25 and idf on its sparse side where the model gives no impacts", async () => {
    const { store, manifest } = await build({}, { sparse: false });
    const [table] = await tablesOf(store, manifest);
    expect(new Set(table!.weights).size).toBeGreaterThan(3);
  });

  it("has documents as the model gives them: nothing of the table is mixed in", async () => {
    const { store } = await build({ source: sourceOf(tinyDocuments(60)) });
    const index = await openTiny(store);
    const encoder = tinyEncoder();
    const text = "river lake sea";
    const sum = new Float64Array(48);
    const { data } = await tinyRows().pass(tokenizer.ids(text));
    data.forEach((value, at) => {
      sum[at % 48]! += value;
    });
    const norm = Math.hypot(...sum);
    const documents = new Map(tinyDocuments(60).map((document) => [document.id, document]));
    let compared = 0;
    for (const hit of (await index.search(requestFor(text, { mode: "dense", limit: 20 }))).hits) {
      const { fields } = documents.get(hit.id)!;
      const own = `${fields.title ?? ""} ${fields.text ?? ""}`.trim();
      if (tokenizer.ids(own).length > 20) continue;
      const [encoding] = await encoder.encode([own], {
        role: "document",
        task: "search",
        dense: true,
        sparse: false,
      });
      const cosine = encoding!.dense!.reduce((all, value, j) => all + (value * sum[j]!) / norm, 0);
      // Three bits of a row and seven of a query's number.
      expect(Math.abs(hit.dense! - cosine), hit.id).toBeLessThan(0.1);
      compared++;
    }
    expect(compared).toBeGreaterThan(3);
  });

  it("falls back to the reference's weight where too little can be cut to choose one", async () => {
    const { manifest } = await build({ source: sourceOf(tinyDocuments(12)), weight: undefined });
    expect(manifest.fusion.weight).toBe(CACHED_WEIGHT);
  });

  it("has a table for each task, and rows that are the same are made once", async () => {
    const { store, manifest, opened } = await build({ tasks: ["same", "search"] }, { tasks: TASKS });
    expect(manifest.tasks.map(({ name }) => name)).toEqual(["same", "search"]);
    const tables = await tablesOf(store, manifest);
    expect(tables.map(({ meta }) => meta.task)).toEqual(["same", "search"]);
    // The tiny model's prompts have no tokens, so both have one input for each token.
    expect(tables[0]!.rows).toEqual(tables[1]!.rows);
    expect(opened).toBe(1);
  });

  it("takes rows that another index made, and has the same table", async () => {
    const first = await build();
    const second = await build({ cache: first.cache, source: sourceOf(tinyDocuments(40)) });
    expect(second.opened).toBe(0);
    const [one, other] = [first, second].map(({ manifest }) => blobsOf(manifest, "table")[0]!.sha256);
    expect(one).toBe(other);
    expect(readdirSync(join(first.cache, "rows"))).toHaveLength(1);
  });

  it("keeps its table when documents come and go, without the rows", async () => {
    const documents = tinyDocuments(60);
    const first = await build({ source: sourceOf(documents) });
    rmSync(first.cache, { recursive: true });
    const second = await build({
      store: first.store,
      source: sourceOf(documents.slice(5)),
      cache: newFolder(),
    });
    expect(second).toMatchObject({ opened: 0, plan: { kind: "some", removed: 5 } });
    const [one, other] = [first, second].map(({ manifest }) => blobsOf(manifest, "table")[0]!.sha256);
    expect(one).toBe(other);
    await (await openTiny(first.store)).search(requestFor("river"));
  });

  it("is made anew by a model that says something else of its table", async () => {
    const fitted = await buildTiny();
    const cached = await build({ store: fitted.store, source: sourceOf(tinyDocuments(40)) });
    expect(cached.plan.kind).toBe("all");
    expect((await tablesOf(fitted.store, cached.manifest))[0]!.meta.source).toBe("cached");
  });

  it("is not published with a row that is not finite", async () => {
    const store = new MemoryStore();
    const encoder = {
      ...tinyEncoder({ queryTable: "cached" }),
      openRows: async () => ({
        ...tinyRows(),
        pass: async (ids: readonly number[]) => ({
          data: new Float32Array(ids.length * 48).fill(Number.NaN),
          first: 0,
          stride: 48,
        }),
      }),
    };
    const refused = buildTiny({ store, encoder, cache: newFolder() });
    await expect(refused).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringContaining("token 1 "),
    });
    await expect(openTiny(store)).rejects.toMatchObject({ code: "index/not-found" });
  });

  it("is made by parts: the rows that its run would make lie in the store before it", async () => {
    const store = new MemoryStore();
    const source = () => sourceOf(tinyDocuments(40));
    for (const number of [1, 2]) {
      const folder = newFolder();
      const options = { store, folder, warn: () => {} };
      const encoder = await partEncoder(tinyEncoder({ queryTable: "cached" }), { number, of: 2 }, options);
      const given = { index: "tiny", tasks: [], bits: 3, overlapTokens: 0, now: () => new Date(0) } as const;
      const report = await encodePart({ ...given, source: source(), store, cache: folder, encoder }, SILENT);
      // One block, which is part 1's.
      expect(report.rows).toBe(number === 1 ? tokenizer.vocabulary - 1 : 0);
      await encoder.close();
    }
    const inner = tinyEncoder({ queryTable: "cached" });
    const failing = { ...inner, openRows: () => Promise.reject(new Error("the rows are there")) };
    const folder = newFolder();
    const encoder = cachedEncoder(failing, folder);
    await buildTiny({ store, encoder, cache: folder, source: source() });
    await (await openTiny(store)).search(requestFor("river"));
  });
});
