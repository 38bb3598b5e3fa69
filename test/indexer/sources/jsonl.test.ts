import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beirSource } from "../../../indexer/sources/beir.ts";
import { jsonlSource } from "../../../indexer/sources/jsonl.ts";
import { DOCUMENT_LIMITS } from "../../../shared/limits.ts";
import { folderOf, readAll } from "./files.ts";

async function read(content: string | Uint8Array) {
  return readAll(jsonlSource(join(await folderOf({ "d.jsonl": content }), "d.jsonl")));
}

async function readBeir(...records: readonly object[]) {
  const folder = await folderOf({
    "corpus.jsonl": records.map((record) => `${JSON.stringify(record)}\n`).join(""),
  });
  return readAll(beirSource(folder));
}

describe("jsonlSource", () => {
  it("reads past a byte order mark, CRLF, blank lines and a missing last line end", async () => {
    const { documents, rejected } = await read(
      '\ufeff{"id":"a","text":"x"}\r\n\r\n \t\n{"id":2,"title":"y"}',
    );
    expect(rejected).toEqual([]);
    expect(documents.map(({ id, fields }) => [id, { ...fields }])).toEqual([
      ["a", { text: "x" }],
      ["2", { title: "y" }],
    ]);
  });

  it("gives back any well-formed document", async () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const fields = fc.dictionary(fc.string({ unit: "grapheme", minLength: 1 }), value, { maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(fields, { maxLength: 5 }), async (list) => {
        const ours = list.map((extra, i) => ({ id: `d${i}`, text: "t", ...clean(extra) }));
        const { documents, rejected } = await read(ours.map((record) => JSON.stringify(record)).join("\n"));
        expect(rejected).toEqual([]);
        expect(documents.map(({ id, fields }) => ({ id, ...fields }))).toEqual(
          JSON.parse(JSON.stringify(ours)),
        );
      }),
      { numRuns: 30 },
    );
  });

  it.each<[string, string]>([
    ["Not valid JSON", '{"id":"a","n":NaN}'],
    ["Not valid JSON", "\ufeff{}"],
    ["Not valid JSON", "{'id':1}"],
    ["must be a JSON object", "[1]"],
    ["must be a JSON object", "null"],
    ["id is missing", '{"text":"x"}'],
    ["range of doubles", '{"id":"a","n":1e999}'],
    ["must not be named __proto__", '{"id":"a","__proto__":{"x":1}}'],
    ["surrogate", '{"id":"\\ud800"}'],
    ["surrogate", '{"id":"a","text":"\\udc00"}'],
    ["list of scalars", '{"id":"a","nested":{"b":1}}'],
    ["Not valid JSON", `{"id":"a","n":${"[".repeat(100_000)}`],
  ])("rejects with '%s' and the line, and reads on: %s", async (reason, bad) => {
    const { documents, rejected } = await read(`{"id":"before"}\n${bad}\n{"id":"after"}\n`);
    expect(documents.map(({ id }) => id)).toEqual(["before", "after"]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatch(/^2: /);
    expect(rejected[0]).toContain(reason);
  });

  it("rejects bytes that are not UTF-8 instead of replacing them", async () => {
    const parts = [
      Buffer.from('{"id":"a","text":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}\n{"id":"b"}\n'),
    ];
    const { documents, rejected } = await read(Buffer.concat(parts));
    expect(documents.map(({ id }) => id)).toEqual(["b"]);
    expect(rejected[0]).toMatch(/^1: Not valid UTF-8/);
  });

  it("says so when the last line is cut off", async () => {
    const { documents, rejected } = await read('{"id":"a"}\n{"id":"b","te');
    expect(documents).toHaveLength(1);
    expect(rejected[0]).toMatch(/^2: .*cut off/);
  });

  it("skips a line above the limit to its end, and counts on", async () => {
    const folder = await folderOf({ "d.jsonl": '{"id":"a"}\n{"id":"' });
    const file = join(folder, "d.jsonl");
    for (let i = 0; i < 5; i++) await appendFile(file, "x".repeat(DOCUMENT_LIMITS.lineBytes / 4));
    await appendFile(file, '"}\n{"id":"b"}\n{');
    const { documents, rejected } = await readAll(jsonlSource(file));
    expect(documents.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(rejected[0]).toMatch(/^2: The record has more than 4194304 bytes/);
    expect(rejected[1]).toMatch(/^4: /);
  });
});

describe("beirSource", () => {
  it("turns the members of metadata into fields and keeps the others", async () => {
    const record = {
      _id: "1",
      id: 5,
      title: "T",
      text: "X",
      metadata: { year: 1999, tags: ["a"] },
      url: "u",
    };
    const { documents, rejected } = await readBeir(record, { _id: "2", text: "Y", metadata: null });
    expect(rejected).toEqual([]);
    expect(documents.map(({ id, fields }) => [id, { ...fields }])).toEqual([
      ["1", { id: 5, title: "T", text: "X", year: 1999, tags: ["a"], url: "u" }],
      ["2", { text: "Y" }],
    ]);
  });

  it("rejects objects other than metadata, objects inside it, and a name taken twice", async () => {
    const { rejected } = await readBeir(
      { _id: "1", text: "X", other: { a: 1 } },
      { _id: "2", text: "X", metadata: { a: { b: 1 } } },
      { _id: "3", text: "X", metadata: { text: "Y" } },
      { _id: "4", text: "X", metadata: "M" },
    );
    expect(rejected).toHaveLength(4);
    expect(rejected[2]).toContain("occurs twice");
    expect(rejected[3]).toContain("must be an object");
  });
});

/** Without the names that have a meaning of their own. */
function clean(fields: Readonly<Record<string, unknown>>) {
  const own = new Set([
    "id",
    "_id",
    "title",
    "name",
    "text",
    "body",
    "content",
    "__proto__",
    "constructor",
    "prototype",
  ]);
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => !own.has(name) && !/\p{Cc}/u.test(name)),
  );
}
