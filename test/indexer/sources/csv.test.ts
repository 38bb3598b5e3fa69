import { join } from "node:path";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellsOf, csvSource } from "../../../indexer/sources/csv.ts";
import { DOCUMENT_LIMITS } from "../../../shared/limits.ts";
import { folderOf, readAll } from "./files.ts";

async function read(content: string | Uint8Array, name = "d.csv") {
  return readAll(csvSource(join(await folderOf({ [name]: content }), name)));
}

const table = (documents: Awaited<ReturnType<typeof read>>["documents"]) =>
  documents.map(({ id, fields }) => ({ id, ...fields }));

describe("csvSource", () => {
  it("reads quoted separators, quotes and line ends, and keeps every cell a string", async () => {
    const { documents, rejected } = await read(
      '\ufeffid,title,text,price\r\n007,"A, ""b""","x\ny",1.50\r\n\r\n8,,plain,\n',
    );
    expect(rejected).toEqual([]);
    expect(table(documents)).toEqual([
      { id: "007", title: 'A, "b"', text: "x\ny", price: "1.50" },
      { id: "8", title: "", text: "plain", price: "" },
    ]);
  });

  it("takes tabs in a .tsv file", async () => {
    expect(table((await read("id\ttext\n1\ta,b\n", "d.TSV")).documents)).toEqual([{ id: "1", text: "a,b" }]);
  });

  it.each([
    ["has 3 cells; the header has 2", "2,b,c"],
    ["has 1 cells; the header has 2", "2"],
    ["is not quoted", '2,5" disk'],
    ["goes on after its closing quote", '2,"a"b'],
    ["id is empty", ",x"],
    ["carriage return", "2,a\rb"],
  ])("rejects with '%s' and the line, and reads on: %j", async (reason, bad) => {
    const { documents, rejected } = await read(`id,text\n1,"two\nlines"\n${bad}\n3,c\n`);
    expect(documents.map(({ id }) => id)).toEqual(["1", "3"]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatch(/^4: /);
    expect(rejected[0]).toContain(reason);
  });

  it("rejects cells that are not UTF-8", async () => {
    const { documents, rejected } = await read(
      Buffer.concat([Buffer.from("id,text\n1,"), Buffer.from([0xff]), Buffer.from("\n2,b")]),
    );
    expect(documents.map(({ id }) => id)).toEqual(["2"]);
    expect(rejected[0]).toMatch(/^2: Not valid UTF-8/);
  });

  it("says where a quote was opened that the file never closes", async () => {
    expect((await read('id,text\n1,a\n2,"b\n3,c\n')).rejected).toEqual([
      "3: A quote is still open where the file ends.",
    ]);
  });

  it("does not keep a row above the limit", async () => {
    const { documents, rejected } = await read(
      `id,text\n1,"${"x\n".repeat(DOCUMENT_LIMITS.lineBytes / 2)}"\n2,b\n`,
    );
    expect(documents.map(({ id }) => id)).toEqual(["2"]);
    expect(rejected[0]).toMatch(/^2: The record has more than/);
  });

  it.each(["id,,b", "id,b,b", "id,__proto__", 'id,"b'])(
    "reads nothing below the broken header %s",
    async (header) => {
      const { documents, rejected } = await read(`${header}\n1,2,3\n`);
      expect(documents).toEqual([]);
      expect(rejected).toHaveLength(1);
      expect(rejected[0]).toMatch(/^1: /);
    },
  );

  it("refuses a column name that the header lacks", async () => {
    const folder = await folderOf({ "d.csv": "id,text\n1,a\n" });
    const { rejected } = await readAll(csvSource(join(folder, "d.csv"), { textField: "body" }));
    expect(rejected).toEqual(['1: The header has no column "body".']);
  });

  it("agrees with another parser on any table, however the file is quoted", async () => {
    const cell = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\t", " ", "\u00e9", "\u{1f600}") });
    const rows = fc.array(fc.tuple(cell, cell, fc.boolean()), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom("\n", "\r\n"), async (list, lineEnd) => {
        const quote = (text: string, always: boolean) =>
          always || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        const lines = list.map(([a, b, always], i) => `${i},${quote(a, always)},${quote(b, always)}`);
        const text = ["id,title,text", ...lines].join(lineEnd);
        const { documents, rejected } = await read(text);
        expect(rejected).toEqual([]);
        expect(table(documents)).toEqual(parse(text, { columns: true }));
      }),
      { numRuns: 50 },
    );
  });

  it("agrees with another parser on which records are sound", () => {
    const record = fc.string({ unit: fc.constantFrom("a", ",", '"', " "), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(record, (text) => {
        const attempt = (read: () => unknown) => {
          try {
            return read();
          } catch {
            return "refused";
          }
        };
        expect(attempt(() => cellsOf(text, ","))).toEqual(attempt(() => parse(text)[0]));
      }),
      { numRuns: 1000 },
    );
  });
});
