/** Config files that are refused, and what is said of them. */
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../indexer/config/config.ts";
import { FILE, folder, LEAST, load, refusal } from "./load.ts";

describe("a config file is refused, with file, line, key and what is allowed, for", () => {
  const withLine = (line: string) => `${LEAST}    ${line}\n`;

  it.each<[what: string, text: string, message: string]>([
    [
      "an unknown key",
      `${LEAST}retries: 3\n`,
      'lightedge.yaml:6: the key "retries" is not known here; known are name, store, regions, url, model, cache, device, indexes.',
    ],
    [
      "an unknown key of an index, as of a newer version",
      withLine("language: de"),
      'lightedge.yaml:6: the key "language" of indexes[0] is not known here; known are index, sources, tasks, format, id-field, title-field, text-field, on-error, overlap, table-bits, table-bytes, shard-chunks, weight, max-age.',
    ],
    [
      "a merge key",
      withLine("<<: {overlap: 3}"),
      'lightedge.yaml:6: the key "<<" of indexes[0] is not known here;',
    ],
    [
      "a key that occurs twice",
      `${LEAST}name: other\n`,
      "lightedge.yaml:6: this is not YAML as it is wanted here: Map keys must be unique.",
    ],
    ["what is not YAML", "name: [a\nstore: b\n", "lightedge.yaml:2: this is not YAML as it is wanted here:"],
    [
      "two documents in one",
      `${LEAST}---\nname: x\n`,
      "lightedge.yaml:6: this is not YAML as it is wanted here:",
    ],
    ["nothing at all", "", "lightedge.yaml:1: the file must be a mapping with keys of name, store,"],
    [
      "a list",
      "- a\n",
      "lightedge.yaml:1: the file must be a mapping with keys of name, store, regions, url, model, cache, device, indexes, not a list.",
    ],
    ["no name", LEAST.replace("name: docs-team\n", ""), "lightedge.yaml:1: the file must have the key name."],
    [
      "no store",
      LEAST.replace("store: file:out\n", ""),
      "lightedge.yaml:1: the file must have the key store.",
    ],
    [
      "no index",
      "name: a\nstore: file:b\nindexes: []\n",
      "lightedge.yaml:3: indexes must be a list of at least one item, not an empty list.",
    ],
    [
      "no sources",
      LEAST.replace("[docs]", "[]"),
      "lightedge.yaml:5: indexes[0].sources must be a list of at least one item, not an empty list.",
    ],
    [
      "sources that are one text",
      LEAST.replace("[docs]", "docs"),
      'lightedge.yaml:5: indexes[0].sources must be a list of at least one item, not "docs".',
    ],
    [
      "a source that is nothing",
      LEAST.replace("[docs]", "[docs, null]"),
      "lightedge.yaml:5: indexes[0].sources[1] must be text, not nothing.",
    ],
    [
      "a source without a name",
      LEAST.replace("[docs]", "['']"),
      'lightedge.yaml:5: indexes[0].sources[0] must be text, not "".',
    ],
    [
      "a name that is a number",
      LEAST.replace("docs-team", "7"),
      "lightedge.yaml:1: name must be text, not 7.",
    ],
    [
      "a name with spaces",
      LEAST.replace("docs-team", "docs team"),
      'lightedge.yaml:1: name must be 1 to 128 visible ASCII characters without spaces, not "docs team".',
    ],
    [
      "a name that no index can have",
      LEAST.replace("index: docs", "index: Docs!"),
      'lightedge.yaml:4: "Docs!" cannot name an index.',
    ],
    [
      "a number out of bounds",
      withLine("overlap: 500"),
      'lightedge.yaml:6: indexes[0].overlap must be a whole number of at most 128, not "500".',
    ],
    [
      "a part where whole numbers are wanted",
      withLine("shard-chunks: 1.5"),
      'lightedge.yaml:6: indexes[0].shard-chunks must be a whole number, not "1.5".',
    ],
    [
      "a number written as text",
      withLine("overlap: '3'"),
      'lightedge.yaml:6: indexes[0].overlap must be a number, not "3".',
    ],
    [
      "what is not a number",
      withLine("weight: .nan"),
      "lightedge.yaml:6: indexes[0].weight must be a number",
    ],
    [
      "text written as a number",
      withLine("id-field: 3"),
      "lightedge.yaml:6: indexes[0].id-field must be text, not 3.",
    ],
    [
      "a field without a name",
      withLine("id-field: ''"),
      'lightedge.yaml:6: indexes[0].id-field must be text, not "".',
    ],
    [
      "a word that is not among those allowed",
      withLine("format: xml"),
      'lightedge.yaml:6: indexes[0].format must be one of beir, jsonl, csv, markdown, html, not "xml".',
    ],
    [
      "bits that no table has",
      withLine("table-bits: 5"),
      'lightedge.yaml:6: indexes[0].table-bits must be one of 2, 3, 4, 8, not "5".',
    ],
    [
      "yes for a word",
      withLine("on-error: true"),
      "lightedge.yaml:6: indexes[0].on-error must be fail, skip, not true.",
    ],
    ["a task twice", withLine("tasks: [a, b, a]"), "lightedge.yaml:6: the task a is named twice."],
    [
      "an age without a unit",
      withLine("max-age: 36"),
      "lightedge.yaml:6: indexes[0].max-age must be a number of s, m, h or d, such as 24h, not 36.",
    ],
    [
      "an age of nothing",
      withLine("max-age: 0h"),
      "lightedge.yaml:6: indexes[0].max-age must be a number of s, m, h or d",
    ],
    [
      "a device that there is not",
      LEAST.replace("indexes:", "device: gpu\nindexes:"),
      'lightedge.yaml:3: device must be one of auto, cuda, tensorrt, webgpu, cpu, not "gpu".',
    ],
    [
      "one index twice",
      `${LEAST}  - index: other\n    sources: [a]\n  - index: docs\n    sources: [b]\n`,
      "lightedge.yaml:8: the index docs is in line 4 already; an index has one entry",
    ],
    [
      "a variable that is not set",
      LEAST.replace("file:out", `'s3://\${BUCKET}'`),
      'lightedge.yaml:2: the variable "BUCKET" of store is not set in the environment.',
    ],
    [
      "an alias to nothing",
      LEAST.replace("[docs]", "*docs"),
      "lightedge.yaml:5: indexes[0].sources must be a list of at least one item, not nothing.",
    ],
  ])("%s", async (_, text, message) => {
    const { code, message: said, details } = await refusal(text);
    expect(said.slice(0, message.length)).toBe(message);
    expect(code).toBe("usage/invalid");
    expect(details.file).toBe(FILE);
    expect(`lightedge.yaml:${details.line}:`).toBe(message.slice(0, message.indexOf(" ")));
  });

  it("bytes that are not text", async () => {
    const { message } = await refusal(Uint8Array.of(0x6e, 0xff, 0xfe));
    expect(message).toMatch(/^The config file .*lightedge\.yaml is not UTF-8\.$/u);
  });

  it("being too long", async () => {
    expect((await refusal(`${LEAST}#${" ".repeat(1 << 20)}`)).message).toBe(
      "lightedge.yaml:1: it has more than 1048576 bytes.",
    );
  });

  it("not being there", async () => {
    await expect(loadConfig(join(folder, "none.yaml"), {})).rejects.toMatchObject({
      code: "usage/invalid",
      message: expect.stringMatching(/^There is no config file .*none\.yaml\. Name yours/u),
    });
  });

  it("any value of any kind at any key but the right ones: nothing else is thrown", async () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("docs", "file:out", "jsonl", "24h", 3, 0.5, ["docs"], [{ index: "a", sources: ["b"] }]),
    );
    const index = fc.dictionary(
      fc.constantFrom(
        "index",
        "sources",
        "tasks",
        "format",
        "overlap",
        "weight",
        "table-bits",
        "table-bytes",
        "max-age",
        "x",
      ),
      value,
    );
    const config = fc.record(
      { name: value, store: value, cache: value, indexes: fc.oneof(value, fc.array(index)) },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(config, async (given) => {
        // JSON is YAML.
        const found: unknown = await load(JSON.stringify(given)).catch((error: unknown) => error);
        if (found instanceof Error)
          expect(found).toMatchObject({ code: "usage/invalid", details: { file: FILE } });
        else expect(found).toMatchObject({ file: FILE });
      }),
      { numRuns: 300 },
    );
  });
});
