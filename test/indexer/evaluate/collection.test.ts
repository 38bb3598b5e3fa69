import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTestCollection } from "../../../indexer/evaluate/collection.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lightedge-collection-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const QUERIES = '{"_id": "q1", "text": "first"}\n\n{"_id": "q2", "text": "second"}\n';
const QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\nq1\td3\t0\nq2\td1\t0\n";

function files(contents: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

describe("a test collection", () => {
  it.each(["qrels.tsv", "qrels/test.tsv"])("is its queries with the grades above 0 of %s", async (name) => {
    const { queries, folder: read } = await readTestCollection(
      files({ "queries.jsonl": QUERIES, [name]: QRELS }),
    );
    expect(read).toBe(folder);
    // The second query has no relevant document.
    expect(queries).toEqual([
      {
        id: "q1",
        text: "first",
        grades: new Map([
          ["d1", 2],
          ["d2", 1],
        ]),
      },
    ]);
  });

  it("reads judgements with Windows line ends", async () => {
    const { queries } = await readTestCollection(
      files({ "queries.jsonl": QUERIES, "qrels.tsv": QRELS.replaceAll("\n", "\r\n") }),
    );
    expect(queries[0]?.grades.get("d1")).toBe(2);
  });

  it("is called after its folder", async () => {
    const { name } = await readTestCollection(
      files({ "queries.jsonl": QUERIES, "qrels.tsv": QRELS }).concat("/"),
    );
    expect(folder.endsWith(`/${name}`)).toBe(true);
  });
});

describe("a folder that is no test collection", () => {
  it("is refused with the names of the files it needs", async () => {
    const wanted = { code: "usage/invalid", message: expect.stringMatching(/queries\.jsonl.*qrels\.tsv/u) };
    await expect(readTestCollection(folder)).rejects.toMatchObject(wanted);
    await expect(readTestCollection(files({ "queries.jsonl": QUERIES }))).rejects.toMatchObject(wanted);
  });

  it.each([
    ["{nonsense", 2],
    ['{"_id": 5, "text": "a"}', 2],
    ['{"_id": "q"}', 2],
    ["null", 2],
    ["[]", 2],
  ])("is refused with file and line for the query %s", async (line, number) => {
    const read = readTestCollection(
      files({ "queries.jsonl": `{"_id": "q1", "text": "a"}\n${line}\n`, "qrels.tsv": QRELS }),
    );
    const file = join(folder, "queries.jsonl");
    await expect(read).rejects.toMatchObject({
      code: "source/invalid",
      message: expect.stringContaining(`${file}:${number}`),
      details: { file, line: number },
    });
  });

  it.each(["q1\td1", "q1", "q1\td1\tmuch", "q1\td1\t1\tmore", "q1 d1 1"])(
    "is refused with file and line for the judgement %j",
    async (line) => {
      const read = readTestCollection(
        files({ "queries.jsonl": QUERIES, "qrels.tsv": `query\tdocument\tgrade\nq1\td1\t1\n${line}\n` }),
      );
      const file = join(folder, "qrels.tsv");
      await expect(read).rejects.toMatchObject({
        code: "source/invalid",
        message: expect.stringContaining(`${file}:3`),
        details: { file, line: 3 },
      });
    },
  );

  it("is refused where no query has a relevant document", async () => {
    const read = readTestCollection(
      files({ "queries.jsonl": QUERIES, "qrels.tsv": "q\td\tg\nother\td\t1\n" }),
    );
    await expect(read).rejects.toMatchObject({ code: "source/invalid" });
  });
});
