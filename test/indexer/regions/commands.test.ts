/** Regions by the command line, as a user meets them: a config, three folders, and the real model. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { lightedge } from "../../helpers/command-line.ts";
import { audit } from "../../helpers/versions.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-regions-"));
const CONFIG = join(folder, "lightedge.yaml");
const REGIONS = ["weur", "enam", "apac"] as const;
afterAll(() => rmSync(folder, { recursive: true }));

function storeOf(region: (typeof REGIONS)[number]): FolderStore {
  return new FolderStore(join(folder, region === "weur" ? "home" : `home-${region}`));
}

/** Writes a source of this many documents. */
function write(documents: number): void {
  const lines = Array.from({ length: documents }, (_, at) =>
    JSON.stringify({ id: `d${at}`, title: `Lamp ${at}`, text: `A lamp of ${at} watts.` }),
  );
  writeFileSync(join(folder, "docs.jsonl"), `${lines.join("\n")}\n`);
}

/** The number of the version that each region has, 0 for none. */
async function seqs(): Promise<readonly number[]> {
  return Promise.all(
    REGIONS.map(async (region) => (await readPointer(storeOf(region), "docs"))?.pointer.seq ?? 0),
  );
}

async function json(...words: string[]): Promise<{ code: number | null; value: Record<string, unknown> }> {
  const { code, stdout } = await lightedge(...words, "--json");
  return { code, value: JSON.parse(stdout) as Record<string, unknown> };
}

beforeAll(() => {
  writeFileSync(
    CONFIG,
    `name: team\nstore: file:home\nregions: [${REGIONS.join(", ")}]\nindexes:\n  - {index: docs, sources: [docs.jsonl], weight: 0.5}\n`,
  );
});

// One story: each test begins where the one before has ended.
describe.sequential("a config with regions", { timeout: 60_000 }, () => {
  it("is published to home and brought to every region by one command", async () => {
    write(3);
    const { code, stdout } = await lightedge("reindex", CONFIG);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^docs in enam is 1-[0-9a-f]{8}: \d+ blobs copied, \d+ bytes written, \d+ read back\.$/mu,
    );
    expect(await seqs()).toEqual([1, 1, 1]);
    const shown = await lightedge("regions", CONFIG);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^docs {3}apac {4}1-[0-9a-f]{8} {2}\d+[sm] {3,4}current$/mu);
  });

  it("is published to one region alone as a canary, which the others then follow", async () => {
    write(4);
    const { code, stdout } = await lightedge("reindex", CONFIG, "--canary", "apac");
    expect(code).toBe(0);
    expect(stdout).toContain(`Only apac was brought forward. The others: lightedge replicate ${CONFIG}.`);
    expect(await seqs()).toEqual([2, 1, 2]);
    const behind = await json("regions", CONFIG);
    expect(behind.code).toBe(1);
    expect(behind.value.states).toMatchObject([
      { region: "weur", standing: "same" },
      { region: "enam", standing: "behind", behind: { versions: 1 }, seq: 1 },
      { region: "apac", standing: "same" },
    ]);
    expect((await lightedge("replicate", CONFIG)).code).toBe(0);
    expect(await seqs()).toEqual([2, 2, 2]);
  });

  it("is rolled back in all regions, with nothing copied", async () => {
    const { code, value } = await json("rollback", "--index", "docs", "--to", "1", "--config", CONFIG);
    expect(code).toBe(0);
    expect(value.regions).toMatchObject([
      { region: "enam", moved: true, copied: 0, repaired: 0 },
      { region: "apac", moved: true, copied: 0, repaired: 0 },
    ]);
    expect(await seqs()).toEqual([3, 3, 3]);
  });

  it("names the region that cannot be reached, goes on with the others, and mends it later", async () => {
    // A file where the folder should be: nothing can be read or written below it.
    rmSync(join(folder, "home-enam"), { recursive: true });
    writeFileSync(join(folder, "home-enam"), "");
    write(5);
    const { code, stdout, stderr } = await lightedge("reindex", CONFIG);
    expect(code).toBe(1);
    expect(stderr).toContain("docs in enam failed: The store of enam: ");
    expect(stdout).toMatch(/^docs in apac is 4-/mu);
    const shown = await lightedge("regions", CONFIG);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/^docs {3}enam {4}none .* has none, lacks \d+ blobs of \d+ bytes$/mu);
    rmSync(join(folder, "home-enam"));
    mkdirSync(join(folder, "home-enam"));
    const { value } = await json("replicate", CONFIG, "--region", "enam", "--index", "docs");
    expect(value.regions).toMatchObject([{ region: "enam", index: "docs", moved: true, from: null, seq: 4 }]);
    expect(await seqs()).toEqual([4, 4, 4]);
    for (const region of REGIONS) expect(await audit(storeOf(region)), region).toEqual([]);
    expect((await lightedge("check", "--store", `file:${folder}/home-enam`)).code).toBe(0);
  });

  it.each<[words: readonly string[], said: string]>([
    [
      ["replicate", CONFIG, "--region", "oc"],
      "--region: the region oc is not declared; declared are weur, enam, apac.",
    ],
    [["replicate", CONFIG, "--region", "wuer"], "Did you mean weur?"],
    [["reindex", CONFIG, "--canary", "mars"], 'canary: there is no region "mars"'],
    [["rollback", "--index", "docs", "--to", "1", "--canary", "weur"], "--canary needs regions"],
    [["rollback", "--index", "docs", "--to", "1", "--config", CONFIG, "--store", "file:x"], "not both"],
    [["regions", "none.yaml"], "There is no config file none.yaml."],
  ])("refuses %j before anything is done", async (words, said) => {
    const { code, stderr } = await lightedge(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(await seqs()).toEqual([4, 4, 4]);
  });

  it("without regions has nothing to show or to bring forward", async () => {
    const plain = join(folder, "plain.yaml");
    writeFileSync(
      plain,
      "name: team\nstore: file:home\nindexes:\n  - {index: docs, sources: [docs.jsonl]}\n",
    );
    for (const verb of ["regions", "replicate"]) {
      const { code, stderr } = await lightedge(verb, plain);
      expect(code).toBe(2);
      expect(stderr).toContain("declares no regions. Add the list regions");
    }
  });
});
