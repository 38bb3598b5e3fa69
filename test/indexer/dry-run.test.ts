import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_DEFAULTS, type BuildOptions, buildIndex } from "../../indexer/build.ts";
import { dryRun } from "../../indexer/dry-run.ts";
import { cachedEncoder } from "../../indexer/encode/cache.ts";
import { surveyEncoder } from "../../indexer/encode/survey.ts";
import { SILENT } from "../../indexer/progress.ts";
import type { SourceDocument } from "../../indexer/sources/source.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { TINY } from "../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../helpers/tiny-encoder.ts";

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "lightedge-dry-"));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

const DOCUMENTS = tinyDocuments(60);

function optionsOf(store: MemoryStore, documents: readonly SourceDocument[]) {
  return {
    index: TINY,
    source: sourceOf(documents),
    store,
    tasks: [],
    ...BUILD_DEFAULTS,
    now: () => new Date(0),
  } satisfies Omit<BuildOptions, "encoder">;
}

async function look(store: MemoryStore, documents: readonly SourceDocument[]) {
  const encoder = tinyEncoder();
  const survey = surveyEncoder(encoder, cache);
  const report = await dryRun(
    { ...optionsOf(store, documents), encoder: survey },
    { sampler: encoder },
    SILENT,
  );
  await survey.close();
  return { report, sampled: encoder.encoded.length };
}

/** A real run over the same cache, with the bytes it gave the store and the texts it encoded. */
async function run(store: MemoryStore, documents: readonly SourceDocument[]) {
  const encoder = cachedEncoder(tinyEncoder(), cache);
  const report = await buildIndex({ ...optionsOf(store, documents), encoder }, SILENT);
  await encoder.close();
  return { report, encoded: encoder.counts.misses };
}

describe("a dry run", () => {
  it("says what the run after it does, and writes nothing", async () => {
    const store = new MemoryStore();
    const edited = [documentOf("zz", { text: "A comet." }), ...DOCUMENTS.slice(0, 58)].sort((a, b) =>
      a.id < b.id ? -1 : 1,
    );
    for (const documents of [DOCUMENTS, DOCUMENTS, edited]) {
      const before = [];
      for await (const info of store.list("")) before.push(info);
      const { report: said, sampled } = await look(store, documents);
      const after = [];
      for await (const info of store.list("")) after.push(info);
      expect(after).toEqual(before);
      expect(sampled).toBeLessThanOrEqual(16);
      const { report, encoded } = await run(store, documents);
      expect(said.plan).toEqual(report.plan);
      expect(said.encode).toBe(encoded);
      expect(said.bytes === 0).toBe(report.bytesWritten === 0);
    }
  });
});
