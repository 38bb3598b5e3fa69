import { execFileSync } from "node:child_process";
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checked, openSource } from "../../../indexer/sources/open.ts";
import { folderSource } from "../../../indexer/sources/pages.ts";
import { DOCUMENT_LIMITS } from "../../../shared/limits.ts";
import { folderOf, readAll } from "./files.ts";

const line = (id: string) => `{"id":${JSON.stringify(id)},"text":"x"}\n`;
const ids = async (...args: Parameters<typeof openSource>) =>
  (await readAll(await openSource(...args))).documents.map(({ id }) => id);

describe("openSource", () => {
  it("tells formats by folder and extension, and reads several in the order given", async () => {
    const folder = await folderOf({
      "beir/corpus.jsonl": '{"_id":"b","text":"x"}\n',
      "beir/queries.jsonl": '{"_id":"q","text":"x"}\n',
      "a.ndjson": line("n"),
      "t.tsv": "id\ttext\nt\tx\n",
      "site/a.md": "# A",
      "site/sub/b.HTML": "<h1>B</h1>",
      "site/image.png": "no page",
      "one.markdown": "x",
    });
    const paths = ["t.tsv", "beir", "site", "a.ndjson", "one.markdown"].map((path) => join(folder, path));
    expect(await ids(paths)).toEqual(["t", "b", "a.md", "sub/b.HTML", "n", "one.markdown"]);
  });

  it("reads pages in the order of names, without hidden folders and packages", async () => {
    const files = ["b.md", "a/z.md", "a/B.htm", "a.md", "\u00e9.md", ".git/x.md", "node_modules/p/readme.md"];
    const folder = await folderOf(Object.fromEntries(files.map((file) => [file, "x"])));
    expect(await ids([folder])).toEqual(["a.md", "a/B.htm", "a/z.md", "b.md", "\u00e9.md"]);
    expect(await ids([folder], "html")).toEqual(["a/B.htm"]);
  });

  it("gives pages their path, and their file name where they have no title", async () => {
    const folder = await folderOf({ "a/notes.md": "---\npath: theirs\n---\nBody" });
    const { documents } = await readAll(await openSource([folder]));
    const fields = { title: "notes", text: "Body", path: "a/notes.md", original_path: "theirs" };
    expect({ ...documents[0]?.fields }).toEqual(fields);
  });

  it("reads a folder of tables or lines when told to", async () => {
    const folder = await folderOf({ "2.jsonl": line("b"), "1.jsonl": line("a"), "x.csv": "id\nc\n" });
    expect(await ids([folder], "jsonl")).toEqual(["a", "b"]);
    expect(await ids([folder], "csv")).toEqual(["c"]);
  });

  it("rejects the second document with an id, across files and exactly", async () => {
    const folder = await folderOf({
      "1.jsonl": line("a") + line("__proto__") + line("e\u0301"),
      "2.jsonl": line("\u00e9") + line("a"),
    });
    const { documents, rejected } = await readAll(await openSource([folder], "jsonl"));
    expect(documents).toHaveLength(4);
    expect(rejected).toEqual(['2: The id "a" occurs twice.']);
  });

  it("can be read twice with the same outcome", async () => {
    const folder = await folderOf({ "1.jsonl": line("a") + line("a") });
    const source = await openSource([join(folder, "1.jsonl")]);
    expect(await readAll(source)).toEqual(await readAll(source));
  });

  it.each([
    ["There is no file", ["nowhere"], undefined],
    ["nothing to read", ["empty"], undefined],
    ["has no corpus.jsonl", ["empty"], "beir"],
    ["set --format", ["x.bin"], undefined],
    ["at least one", [], undefined],
  ] as const)("says '%s' for %j", async (message, paths, format) => {
    const folder = await folderOf({ "empty/readme.txt": "", "x.bin": "" });
    const opened = openSource(
      paths.map((path) => join(folder, path)),
      format,
    );
    await expect(opened).rejects.toMatchObject({
      code: "usage/invalid",
      message: expect.stringContaining(message),
      details: { field: "SOURCE" },
    });
  });

  it("refuses field names for pages and one field in two roles", async () => {
    const folder = await folderOf({ "a.md": "x", "a.csv": "id,text\n" });
    await expect(openSource([folder], undefined, { textField: "x" })).rejects.toThrow("not for pages");
    await expect(
      openSource([join(folder, "a.csv")], "csv", { textField: "x", titleField: "x" }),
    ).rejects.toThrow("different");
  });

  it("rejects links out of the folder, dead links and pipes, and follows links inside", async () => {
    const folder = await folderOf({ "in/a.md": "x", "out/secret.md": "x" });
    const inside = join(folder, "in");
    await symlink(join(folder, "out/secret.md"), join(inside, "b.md"));
    await symlink(join(folder, "out"), join(inside, "c"));
    await symlink(join(inside, "gone.md"), join(inside, "d.md"));
    await symlink(join(inside, "a.md"), join(inside, "e.md"));
    execFileSync("mkfifo", [join(inside, "f.md")]);
    const { documents, rejected } = await readAll(await openSource([inside]));
    expect(documents.map(({ id }) => id)).toEqual(["a.md", "e.md"]);
    expect(rejected).toEqual([
      "1: A link that leads outside the folder is not followed.",
      expect.stringContaining("cannot be opened"),
      "1: Not a plain file.",
    ]);
  });

  it("rejects pages that are too large, not UTF-8 or broken, with the line where it is known", async () => {
    const folder = await folderOf({
      "a.md": Buffer.from([0x61, 0xff]),
      "b.md": "---\na: 1\nb: [\n---\n",
      "c.html": Buffer.alloc(DOCUMENT_LIMITS.lineBytes + 1, "x"),
      "d.md": "fine",
    });
    const { documents, rejected } = await readAll(await openSource([folder]));
    expect(documents.map(({ id }) => id)).toEqual(["d.md"]);
    expect(rejected).toEqual([
      expect.stringMatching(/^1: Not valid UTF-8/),
      expect.stringMatching(/^[34]: The front matter is not valid YAML/),
      expect.stringMatching(/^1: The file has 4194305 bytes/),
    ]);
  });

  it("gives up on a page that no parser can finish, and reads on", async () => {
    const folder = await folderOf({ "a.md": ">".repeat(1_000_000), "b.md": "fine" });
    const { documents, rejected } = await readAll(folderSource(folder, ["markdown"], 1500));
    expect(documents.map(({ id }) => id)).toEqual(["b.md"]);
    expect(rejected).toEqual(["1: The page could not be parsed within 1.5 s."]);
  });

  it("says which source cannot be read on", async () => {
    const file = join(await folderOf({ "a.jsonl": line("a") }), "a.jsonl");
    const source = await openSource([file]);
    await rm(file);
    await expect(readAll(source)).rejects.toMatchObject({
      code: "source/invalid",
      message: expect.stringContaining(`jsonl ${file} cannot be read on: ENOENT`),
    });
  });
});

describe("checked", () => {
  const mixed = async () =>
    openSource([join(await folderOf({ "a.jsonl": `${line("a")}bad\n{"id":"b"}\n` }), "a.jsonl")]);

  it("counts and reports rejections and reads on", async () => {
    const reported: string[] = [];
    const source = checked(await mixed(), {
      onRejected: "skip",
      report: ({ reason }) => reported.push(reason.message),
    });
    await readAll(source);
    expect(source.counts()).toEqual({ documents: 2, rejected: 1, blank: 1 });
    expect(reported).toEqual([expect.stringMatching(/a\.jsonl:2: Not valid JSON/)]);
  });

  it("throws the first reason when rejections are fatal, after reporting it", async () => {
    let reports = 0;
    const source = checked(await mixed(), { onRejected: "fail", report: () => reports++ });
    await expect(readAll(source)).rejects.toMatchObject({ code: "source/invalid", details: { line: 2 } });
    expect([reports, source.counts().documents]).toEqual([1, 1]);
  });
});
