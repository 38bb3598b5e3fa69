import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type Config, loadConfig } from "../../../indexer/config/config.ts";
import { LightedgeError } from "../../../shared/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-config-"));
const FILE = join(folder, "lightedge.yaml");
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string | Uint8Array, environment: Record<string, string> = {}): Promise<Config> {
  writeFileSync(FILE, text);
  return loadConfig(FILE, environment);
}

/** The refusal of a config, without the file's path. */
async function refusal(text: string | Uint8Array, environment?: Record<string, string>) {
  const error: unknown = await load(text, environment).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LightedgeError)) throw new Error(`not refused: ${String(error)}`);
  return { code: error.code, message: error.message.replaceAll(`${folder}/`, ""), details: error.details };
}

const LEAST = `name: docs-team
store: file:out
indexes:
  - index: docs
    sources: [docs]
`;

describe("a config file", () => {
  it("of the least that is needed has the defaults of the command line, and paths beside it", async () => {
    expect(await load(LEAST)).toEqual({
      file: FILE,
      name: "docs-team",
      store: `file:${folder}/out`,
      regions: [],
      cache: join(folder, ".lightedge/cache"),
      device: "auto",
      indexes: [
        {
          line: 4,
          spec: {
            index: "docs",
            sources: [join(folder, "docs")],
            format: undefined,
            fields: {},
            onError: "fail",
            tasks: [],
            bits: 3,
            overlapTokens: 0,
            weight: undefined,
          },
        },
      ],
    });
  });

  it("of everything says everything", async () => {
    const config = await load(
      `
# Comments are for people.
name: example.org/search
store: s3://\${BUCKET}/prefix?endpoint=https://\${ACCOUNT}.example.org
model: ../models/own
cache: /var/cache/lightedge
device: cpu
indexes:
  - index: shop
    sources: [products.jsonl, /data/more]
    format: jsonl
    id-field: sku
    title-field: name
    text-field: description
    on-error: skip
    tasks: [search, same]
    overlap: 16
    table-bits: 4
    shard-chunks: 1000
    weight: 0.6
    max-age: 36h
  - {index: docs, sources: [docs]}
`,
      { BUCKET: "search", ACCOUNT: "0123" },
    );
    expect(config).toMatchObject({
      name: "example.org/search",
      store: "s3://search/prefix?endpoint=https://0123.example.org",
      model: join(folder, "../models/own"),
      cache: "/var/cache/lightedge",
      device: "cpu",
    });
    expect(config.indexes[0]).toEqual({
      line: 9,
      spec: {
        maxAge: 36 * 3_600_000,
        index: "shop",
        sources: [join(folder, "products.jsonl"), "/data/more"],
        format: "jsonl",
        fields: { idField: "sku", titleField: "name", textField: "description" },
        onError: "skip",
        tasks: ["search", "same"],
        bits: 4,
        overlapTokens: 16,
        shardChunks: 1000,
        weight: 0.6,
      },
    });
    expect(config.indexes[1]?.spec.index).toBe("docs");
  });

  it("may say a thing once and refer to it", async () => {
    const { indexes } = await load(
      `${LEAST}  - index: more\n    sources: &all [one, two]\n  - index: most\n    sources: *all\n`,
    );
    expect(indexes.map(({ spec }) => spec.sources.length)).toEqual([1, 2, 2]);
  });

  it("puts variables of the environment into the store's URL alone", async () => {
    const { name, indexes } = await load(LEAST.replace("[docs]", `['\${HOME}/docs']`), { HOME: "/root" });
    expect(indexes[0]?.spec.sources).toEqual([`${folder}/\${HOME}/docs`]);
    expect(name).toBe("docs-team");
  });
});

describe("the regions of a config file", () => {
  const withRegions = (regions: string, store = "r2://search/own?jurisdiction=eu") =>
    `name: docs-team\nstore: ${store}\nregions:\n${regions}indexes:\n  - {index: docs, sources: [docs]}\n`;

  it("are names, whose stores follow from that of home", async () => {
    const { regions } = await load(withRegions("  - weur\n  - apac-ne\n"));
    expect(regions.map(({ region, store, line }) => [region.name, store, line])).toEqual([
      ["weur", "r2://search/own?jurisdiction=eu", 4],
      ["apac-ne", "r2://search-apac-ne/own?jurisdiction=eu", 5],
    ]);
    const folders = await load(withRegions("  [weur, oc]\n", "file:out/"));
    expect(folders.regions.map(({ store }) => store)).toEqual([
      `file:${folder}/out`,
      `file:${folder}/out-oc`,
    ]);
  });

  it("may name their stores, with variables, and home's once more", async () => {
    const { regions } = await load(
      withRegions(`  - {name: weur, store: 's3://a'}\n  - {name: oc, store: 's3://\${B}/x'}\n`, "s3://a"),
      { B: "bucket" },
    );
    expect(regions.map(({ store }) => store)).toEqual(["s3://a", "s3://bucket/x"]);
  });

  it.each<[what: string, regions: string, message: string]>([
    [
      "an unknown region",
      "  - weur\n  - enaam\n",
      'lightedge.yaml:5: regions[1]: there is no region "enaam"; regions are wnam, enam, sam, weur, eeur, apac, apac-ne, apac-se, oc, afr, me. Did you mean enam?',
    ],
    [
      "a region twice",
      "  - weur\n  - {name: weur}\n",
      'lightedge.yaml:5: regions[1].name: "weur": it is named twice',
    ],
    ["none", "  []\n", "lightedge.yaml:4: regions must be a list of at least one item, not an empty list."],
    ["a text", "  weur\n", 'lightedge.yaml:4: regions must be a list of at least one item, not "weur".'],
    [
      "more than 16",
      `  [${"oc, ".repeat(17)}]\n`,
      "lightedge.yaml:4: regions: 17 regions: at most 16 are allowed.",
    ],
    [
      "an unknown key",
      "  - {name: weur, bucket: b}\n",
      'lightedge.yaml:4: the key "bucket" of regions[0] is not known here; known are name, store.',
    ],
    ["no name", "  - {store: 'file:x'}\n", "lightedge.yaml:4: regions[0] must have the key name."],
    [
      "another store for home",
      "  - {name: weur, store: 'r2://other'}\n",
      "lightedge.yaml:4: the first region, weur, is home; its store is that of the key store.",
    ],
    [
      "one store for two",
      "  - weur\n  - {name: oc, store: 'r2://search-x'}\n  - {name: enam, store: 'r2://search-x/'}\n",
      "lightedge.yaml:6: enam has the same store as oc in line 5; each region has its own.",
    ],
    [
      "home's store for another",
      "  - weur\n  - {name: oc, store: 'r2://search/own/?jurisdiction=eu'}\n",
      "lightedge.yaml:5: oc has the same store as weur in line 4; each region has its own.",
    ],
  ])("are refused with %s", async (_, regions, message) => {
    const { code, message: said, details } = await refusal(withRegions(regions));
    expect(said.slice(0, message.length)).toBe(message);
    expect(code).toBe("usage/invalid");
    expect(`lightedge.yaml:${details.line}:`).toBe(message.slice(0, message.indexOf(" ")));
  });

  it("come with the address of the deployment, which must be one", async () => {
    const { url } = await load(`${LEAST}url: https://search.example.org/\n`);
    expect(url).toBe("https://search.example.org");
    for (const wrong of ["search.example.org", "ftp://a", "https://a/?b", "''"])
      expect((await refusal(`${LEAST}url: ${wrong}\n`)).message).toMatch(/^lightedge\.yaml:6: url must be/u);
  });
});

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
      'lightedge.yaml:6: the key "language" of indexes[0] is not known here; known are index, sources, tasks, format, id-field, title-field, text-field, on-error, overlap, table-bits, shard-chunks, weight, max-age.',
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
      'lightedge.yaml:3: device must be one of auto, cuda, cpu, not "gpu".',
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
