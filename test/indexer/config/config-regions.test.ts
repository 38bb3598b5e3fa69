/** The regions that a config file names, and the address of their deployment. */
import { describe, expect, it } from "vitest";
import { folder, LEAST, load, refusal } from "./load.ts";

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
