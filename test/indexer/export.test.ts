import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { exportLines, lineOf } from "../../indexer/export.ts";
import { jsonlSource } from "../../indexer/sources/jsonl.ts";
import { blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { canonicalJson } from "../../shared/hash.ts";
import type { MemoryStore } from "../../shared/store/memory.ts";
import type { Fields } from "../../shared/types.ts";
import { buildTiny, copyOf } from "../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { folderOf, readAll } from "./sources/files.ts";

async function exported(store: MemoryStore, manifest: Manifest): Promise<string> {
  let text = "";
  for await (const line of exportLines(store, manifest)) text += line;
  return text;
}

/** Documents as `lightedge index` reads them from these lines, by id. */
async function readBack(text: string): Promise<ReadonlyMap<string, string>> {
  const folder = await folderOf({});
  await writeFile(join(folder, "d.jsonl"), text);
  const { documents, rejected } = await readAll(jsonlSource(join(folder, "d.jsonl")));
  expect(rejected).toEqual([]);
  return asMap(documents);
}

function asMap(
  documents: Iterable<{ readonly id: string; readonly fields: Fields }>,
): ReadonlyMap<string, string> {
  return new Map([...documents].map(({ id, fields }) => [id, canonicalJson(fields)]));
}

describe("an export", () => {
  const documents = tinyDocuments(60);
  let built: Awaited<ReturnType<typeof buildTiny>>;
  let changed: Awaited<ReturnType<typeof buildTiny>>;
  const now = [
    ...documents
      .slice(3)
      .map((document) => (document.id === "d5" ? documentOf("d5", { text: "Said anew." }) : document)),
    documentOf("added", { text: "A river and a boat." }),
  ];
  beforeAll(async () => {
    built = await buildTiny({ source: sourceOf(documents), shardChunks: 40 });
    changed = await buildTiny({ source: sourceOf(now), store: built.store });
  });

  it("is read back as the documents that were indexed, odd ones included", async () => {
    expect(blobsOf(built.manifest, "shard").length).toBeGreaterThan(1);
    expect(await readBack(await exported(built.store, built.manifest))).toEqual(asMap(documents));
  });

  it("leaves out the documents that are dead", async () => {
    expect(blobsOf(changed.manifest, "tombstones")).toHaveLength(1);
    expect(await readBack(await exported(built.store, changed.manifest))).toEqual(asMap(now));
  });

  it("has one line for each document, and nothing for an index without any", async () => {
    const text = await exported(built.store, built.manifest);
    expect(text.split("\n")).toHaveLength(documents.length + 1);
    const counts = { documents: 0, chunks: 0, rejected: 0 };
    const blobs = built.manifest.blobs.filter(({ role }) => role === "tokenizer" || role === "table");
    expect(await exported(built.store, { ...built.manifest, counts, blobs })).toBe("");
  });

  it("reads as many blocks as there are", async () => {
    const note = "0123456789abcdef".repeat(3000);
    const large = Array.from({ length: 40 }, (_, at) =>
      documentOf(`big ${at}`, { text: "A boat.", note: `${at} ${note}` }),
    );
    const { store, manifest } = await buildTiny({ source: sourceOf(large) });
    expect(await readBack(await exported(store, manifest))).toEqual(asMap(large));
  });

  it("is refused at its end where the manifest counts other documents", async () => {
    const counts = { ...built.manifest.counts, documents: 61 };
    const wrong = exported(built.store, { ...built.manifest, counts });
    await expect(wrong).rejects.toMatchObject({ code: "format/invalid", details: { field: "documents" } });
  });

  it("is refused where a block of documents is damaged or gone", async () => {
    const [blob] = blobsOf(built.manifest, "documents");
    const damaged = await copyOf(built.store);
    const { body } = (await damaged.get(blob!.key))!;
    body[body.length - 9]! ^= 1;
    await damaged.put(blob!.key, body);
    await expect(exported(damaged, built.manifest)).rejects.toMatchObject({ code: "blob/corrupt" });
    await damaged.delete(blob!.key);
    await expect(exported(damaged, built.manifest)).rejects.toMatchObject({ code: "blob/missing" });
  });
});

describe("a line", () => {
  it.each<[string, Fields, boolean]>([
    ["a title and a text", { title: "t", text: "x" }, true],
    ["neither", { year: 3, tags: ["a"], ok: null }, true],
    ["a name beside a title", { title: "t", name: "n", text: "x" }, true],
    ["a name without a title", { name: "n" }, false],
    ["a body without a text", { body: "b" }, false],
    ["a content beside a text", { text: "x", content: "c" }, true],
    ["an id of its own", { id: "other", text: "x" }, false],
    ["an _id of its own", { _id: "other", text: "x" }, true],
    ["a field called fields", { fields: "x" }, true],
    ["both names taken", { name: "n", body: "b", original_title: "o" }, false],
  ])("comes back as it was, beside its id or below it: %s", async (_, fields, flat) => {
    const line = lineOf({ id: "a", fields });
    expect(Object.keys(JSON.parse(line) as object)).toEqual(
      flat ? ["id", ...Object.keys(fields)] : ["id", "fields"],
    );
    expect(await readBack(line)).toEqual(asMap([{ id: "a", fields }]));
  });

  it("comes back as it was, whatever its fields are called", async () => {
    const names = fc.oneof(
      fc.constantFrom(
        "id",
        "_id",
        "title",
        "name",
        "text",
        "body",
        "content",
        "fields",
        "original_title",
        "1",
      ),
      fc.stringMatching(/^[a-zé☃]{1,6}$/u),
    );
    const values = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.constant(null),
    );
    const fields = fc
      .dictionary(names, values, { maxKeys: 6, noNullPrototype: true })
      // What a document may have there.
      .map((all) =>
        Object.fromEntries(
          Object.entries(all).filter(
            ([name, value]) => typeof value === "string" || !/^(?:title|text)$/u.test(name),
          ),
        ),
      );
    const id = fc.stringMatching(/^[^\p{C}]{1,20}$/u);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ id, fields }), { maxLength: 4 }), async (documents) => {
        const unique = [...new Map(documents.map((document) => [document.id, document])).values()];
        expect(await readBack(unique.map(lineOf).join(""))).toEqual(asMap(unique));
      }),
      { numRuns: 40 },
    );
  });
});
