import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FILE, folder, LEAST, load } from "./load.ts";

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
