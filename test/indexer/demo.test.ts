/** The way of a user: documents in a file, the command line, a server over the same folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openInNode } from "../../indexer/engine-node.ts";
import { type Serving, serve } from "../../indexer/serve.ts";
import { openStore } from "../../indexer/store/open.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { MODES, type SearchAnswer } from "../../shared/types.ts";
import { lightedge, type Ran } from "../helpers/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-demo-"));
const STORE = ["--store", `file:${folder}/store`];
const store = openStore(`file:${folder}/store`);
const SOURCE = join(folder, "documents.jsonl");

const DOCUMENTS = [
  ["bees", "Honey bees", "Honey bees dance to tell each other where flowers are. A hive holds one queen."],
  [
    "bread",
    "Baking bread",
    "Sourdough rises slowly because wild yeast works at its own pace in a cool kitchen.",
  ],
  ["tides", "Tides", "The moon pulls the sea, and so the water rises and falls twice a day on most coasts."],
  ["chess", "Chess openings", "The Sicilian Defence answers the king's pawn and leads to sharp positions."],
  [
    "trains",
    "Night trains",
    "Sleeper trains cross Europe overnight, so travellers wake up in another country.",
  ],
  ["volcano", "Volcanoes", "Magma that reaches the surface is called lava. Ash may close airports for days."],
  ["violin", "The violin", "A violin has four strings tuned in fifths. Its bow is strung with horse hair."],
  ["glacier", "Glaciers", "Glaciers are rivers of ice that grind valleys into the shape of the letter U."],
  ["coffee", "Coffee", "Coffee beans are the seeds of a cherry. Roasting gives them colour and aroma."],
  ["library", "Public libraries", "A library lends books for free, and many lend tools and instruments too."],
  ["vaccine", "Vaccines", "A vaccine shows the immune system a harmless part of a virus, and it remembers."],
  [
    "lighthouse",
    "Lighthouses",
    "A lighthouse warns ships of rocks. Each one has a rhythm of flashes of its own.",
  ],
] as const;
const QUERIES = [
  "why does the sea rise and fall",
  "insects that make honey",
  "travelling by rail while asleep",
  "protection against disease",
  "musical instrument strings",
] as const;

const MISSPELT = "the sourdouhg of a kitchhen";

function index(...more: string[]): Promise<Ran> {
  const where = ["--index", "demo", ...STORE, "--cache", join(folder, "cache"), "--device", "cpu"];
  return lightedge("index", SOURCE, ...where, ...more);
}

/** Runs with one bit of a blob on disk turned over, and puts it back. */
async function withFlipped<T>(key: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, "store", key);
  const bytes = readFileSync(path);
  const broken = Buffer.from(bytes);
  broken[broken.length >> 1]! ^= 1;
  writeFileSync(path, broken);
  try {
    return await work();
  } finally {
    writeFileSync(path, bytes);
  }
}

function serveStore(): Promise<Serving> {
  const at = { host: "127.0.0.1", port: 0, indexes: ["demo"], examples: [], pointerMaxAge: 60 };
  return serve({ store, ...at });
}

let first: Ran;
beforeAll(async () => {
  const lines = DOCUMENTS.map(([id, title, text]) => JSON.stringify({ id, title, text }));
  writeFileSync(SOURCE, `${lines.join("\n")}\n`);
  first = await index();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("documents indexed from the command line", () => {
  it("are published as the first version", () => {
    expect(first.stderr).not.toMatch(/error|warning/u);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(
      /^Published demo 1-[0-9a-f]{8}\.\n12 added, .*\n12 documents in 12 chunks;/u,
    );
  });

  it("are up to date when indexed again: nothing is encoded and the version stays", async () => {
    const [version] = /1-[0-9a-f]{8}/u.exec(first.stdout)!;
    const again = await index();
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(`demo ${version} is up to date`);
    expect(again.stdout).toContain("; 0 texts encoded");
    const asJson = JSON.parse((await index("--json")).stdout);
    expect(asJson).toMatchObject({ version, changed: false, encoded: 0, bytesWritten: 0, documents: 12 });
  });

  it("are found by search --json, the best one first", async () => {
    const { code, stdout } = await lightedge("search", QUERIES[0], "--index", "demo", ...STORE, "--json");
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as SearchAnswer;
    expect(answer).toMatchObject({ index: "demo", mode: "hybrid", partial: false });
    expect(answer.hits.length).toBe(10);
    expect(answer.hits[0]).toMatchObject({ id: "tides", fields: { title: "Tides" } });
  });

  it("are found by misspelt words too, unless that is not wanted, and people are told", async () => {
    const search = (...more: string[]) => lightedge("search", MISSPELT, "--index", "demo", ...STORE, ...more);
    const answer = JSON.parse((await search("--json")).stdout) as SearchAnswer;
    expect(answer.corrections?.map(({ word, used }) => [word, used])).toEqual([
      ["sourdouhg", "sourdough"],
      ["kitchhen", "kitchen"],
    ]);
    expect(answer.hits[0]!.id).toBe("bread");
    expect((await search()).stdout).toContain('\nsearched for sourdough instead of "sourdouhg"');
    const typed = JSON.parse((await search("--json", "--no-typos")).stdout) as SearchAnswer;
    expect(typed).not.toHaveProperty("corrections");
    expect(typed.hits[0]!.sparse).toBeLessThan(answer.hits[0]!.sparse);
  });

  it("pass the check, and fail it by the blob's name once a byte has changed on disk", async () => {
    const check = () => lightedge("check", "--index", "demo", ...STORE);
    const sound = await check();
    expect(sound.code).toBe(0);
    expect(sound.stdout).toContain("is sound: 12 documents");
    const [shard] = blobsOf((await openInNode(store, "demo")).manifest, "shard");
    const broken = await withFlipped(shard!.key, check);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain(shard!.key);
  });
});

describe("the server over the same folder", () => {
  it("answers with the hits that the engine gives in Node, to the bit", async () => {
    const serving = await serveStore();
    try {
      const index = await openInNode(store, "demo");
      for (const q of [...QUERIES, MISSPELT]) {
        for (const mode of MODES) {
          const words = new URLSearchParams({ q, mode, limit: "5" });
          const response = await fetch(new URL(`v1/indexes/demo/search?${words}`, serving.url));
          expect(response.status).toBe(200);
          const served = (await response.json()) as SearchAnswer;
          const own = await index.search({ q, mode, limit: 5, offset: 0, explain: false });
          // The sparse side alone has nothing to say to words that no document has.
          if (mode !== "sparse") expect(served.hits.length).toBe(5);
          const essence = ({ hits }: SearchAnswer) =>
            hits.map(({ id, score, dense, sparse, snippet }) => ({ id, score, dense, sparse, snippet }));
          expect(essence(served)).toEqual(essence(own));
          expect([served.version, served.total]).toEqual([own.version, own.total]);
          expect(served.corrections).toEqual(own.corrections);
        }
      }
    } finally {
      await serving.close();
    }
  });

  it("answers 503 naming the blob, and never with an empty list, where a shard is damaged", async () => {
    const [shard] = blobsOf((await openInNode(store, "demo")).manifest, "shard");
    await withFlipped(shard!.key, async () => {
      const serving = await serveStore();
      try {
        for (let attempt = 0; attempt < 2; attempt++) {
          const response = await fetch(new URL("v1/indexes/demo/search?q=bees", serving.url));
          expect(response.status).toBe(503);
          const body = (await response.json()) as Readonly<Record<string, unknown>>;
          expect(Object.keys(body)).toEqual(["error"]);
          const message = expect.stringContaining(shard!.key);
          expect(body).toMatchObject({ error: { code: "blob/corrupt", message } });
        }
      } finally {
        await serving.close();
      }
    });
  });
});
