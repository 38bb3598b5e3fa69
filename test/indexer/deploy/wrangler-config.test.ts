import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { buildEdge } from "../../../indexer/build-edge.ts";
import type { Config } from "../../../indexer/config/config.ts";
import { generateWrangler } from "../../../indexer/deploy/wrangler-config.ts";
import { type RegionName, regionOf } from "../../../shared/regions/region.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BASE = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
/** Beside the real one, since paths in it are relative; git knows to ignore it. */
const FILE = `wrangler.generated-${process.pid}.toml`;
afterAll(() => rmSync(join(ROOT, FILE), { force: true }));

type Part = Pick<Config, "file" | "store" | "regions" | "indexes">;

/** A config of these regions, with stores by the rule of short forms. */
export function configWith(...names: RegionName[]): Part {
  const spec = (index: string, maxAge?: number) => ({
    line: 9,
    spec: { index, ...(maxAge === undefined ? {} : { maxAge }) } as Config["indexes"][number]["spec"],
  });
  return {
    file: "lightedge.yaml",
    store: "r2://search",
    regions: names.map((name, at) => ({
      region: regionOf(name),
      store: at === 0 ? "r2://search" : `r2://search-${name}`,
      line: 3 + at,
    })),
    indexes: [spec("docs", 36 * 3_600_000), spec("blog")],
  };
}

/** Lines that say anything. */
function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("the configuration of the Worker", () => {
  it("has the bucket of every region, home's under two names, and the variables that follow from the config", () => {
    const said = generateWrangler(BASE, configWith("weur", "enam", "apac-ne"));
    const bindings = said.matchAll(/^binding = "(\w+)"\nbucket_name = "([\w-]+)"$/gmu);
    expect(Array.from(bindings, ([, binding, bucket]) => [binding, bucket])).toEqual([
      ["BUCKET", "search"],
      ["BUCKET_WEUR", "search"],
      ["BUCKET_ENAM", "search-enam"],
      ["BUCKET_APAC_NE", "search-apac-ne"],
    ]);
    expect(lines(said)).toContain('REGIONS = "weur,enam,apac-ne"');
    expect(lines(said)).toContain('INDEXES = "docs,blog"');
    expect(lines(said)).toContain('INDEX_MAX_AGE = "docs=36h"');
    expect(said.match(/^name = "SHARDS"$/gmu)).toHaveLength(1);
    expect(said.match(/^new_sqlite_classes = \["ShardObject"\]$/gmu)).toHaveLength(1);
  });

  it("has one bucket and no regions where the config declares none", () => {
    const said = generateWrangler(BASE, configWith());
    expect(said.match(/^binding = /gmu)).toHaveLength(1);
    expect(said).not.toMatch(/^REGIONS/mu);
  });

  it("is the same for the same, and keeps all else of the file to the letter", () => {
    const config = configWith("weur", "oc");
    const said = generateWrangler(BASE, config);
    expect(generateWrangler(BASE, config)).toBe(said);
    const own = /^(?:binding|bucket_name|REGIONS|INDEXES|INDEX_MAX_AGE)\b|^\[\[r2_buckets\]\]/u;
    const others = (text: string) => lines(text).filter((line) => !own.test(line));
    expect(others(said)).toEqual(others(BASE));
    // And out of what it has made itself it makes the same again, but for the note at the top.
    expect(lines(generateWrangler(said, config))).toEqual(lines(said));
  });

  it("adds the objects and their migration where the file has none, and leaves those that it has", () => {
    const bare = 'name = "x"\nmain = "edge/index.ts"\n';
    const said = generateWrangler(bare, configWith("weur"));
    expect(lines(said)).toEqual([
      'name = "x"',
      'main = "edge/index.ts"',
      "[[r2_buckets]]",
      'binding = "BUCKET"',
      'bucket_name = "search"',
      "[[r2_buckets]]",
      'binding = "BUCKET_WEUR"',
      'bucket_name = "search"',
      "[vars]",
      'REGIONS = "weur"',
      'INDEXES = "docs,blog"',
      'INDEX_MAX_AGE = "docs=36h"',
      "[[durable_objects.bindings]]",
      'name = "SHARDS"',
      'class_name = "ShardObject"',
      "[[migrations]]",
      'tag = "shards-1"',
      'new_sqlite_classes = ["ShardObject"]',
    ]);
    expect(lines(generateWrangler(said, configWith("weur")))).toEqual(lines(said));
  });

  it("says in which jurisdiction a bucket is", () => {
    const config = { ...configWith(), store: "r2://search?jurisdiction=eu" };
    expect(lines(generateWrangler(BASE, config))).toContain('jurisdiction = "eu"');
  });

  it.each([
    ["file:out", undefined],
    ["r2://search/prefix", undefined],
    ["s3://search", undefined],
    ["r2://dots.are.not.for.r2", undefined],
    ["r2://search", "file:/elsewhere"],
  ])("is refused for stores that a Worker cannot bind: %s, %s", (store, other) => {
    const { regions, ...rest } = configWith("weur", "enam");
    const stores = [store, other ?? "r2://fine"];
    const config = { ...rest, store, regions: regions.map((each, at) => ({ ...each, store: stores[at]! })) };
    expect(() => generateWrangler(BASE, config)).toThrow(
      /^lightedge\.yaml:[34]: the store.* is "(?:file|r2|s3).*; a Worker reads R2 buckets, written r2:\/\/BUCKET/u,
    );
  });

  it.each([
    ['r2_buckets = [{ binding = "A", bucket_name = "b" }]', /has "r2_buckets"; write it as a table/u],
    ['vars = { A = "b" }', /has "vars"; write it as a table/u],
    ["durable_objects.bindings = []", /has "durable_objects"; write it as a table/u],
    ['a = """\n[vars]\n"""', /has "a text of several lines"; write it in one/u],
  ])("is refused for a file whose tables cannot be told: %s", (base, message) => {
    expect(() => generateWrangler(base, configWith("weur"))).toThrow(message);
  });

  it("is taken by wrangler, which binds all of it and bundles the Worker", { timeout: 120_000 }, async () => {
    await buildEdge();
    writeFileSync(join(ROOT, FILE), generateWrangler(BASE, configWith("weur", "enam", "apac-ne")));
    const entry = join(
      dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
      "bin/wrangler.js",
    );
    const words = [entry, "deploy", "--dry-run", "--config", FILE];
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      cwd: ROOT,
      env: {
        ...process.env,
        CI: "1",
        NO_COLOR: "1",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_SEND_ERROR_REPORTS: "false",
        WRANGLER_LOG_PATH: join(ROOT, "build/wrangler-logs"),
      },
    });
    for (const binding of [
      /env\.SHARDS \(ShardObject\)/u,
      /env\.BUCKET \(search\)/u,
      /env\.BUCKET_WEUR \(search\)/u,
      /env\.BUCKET_ENAM \(search-enam\)/u,
      /env\.BUCKET_APAC_NE \(search-apac-ne\)/u,
      /env\.REGIONS \("weur,enam,apac-ne"\)/u,
      /env\.INDEXES \("docs,blog"\)/u,
    ])
      expect(stdout).toMatch(binding);
  });
});
