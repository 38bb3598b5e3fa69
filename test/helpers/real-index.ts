/** Indexes of the first passages of the shipped collection, by the embedded model, in memory. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILD_DEFAULTS, type BuildReport, buildIndex } from "../../indexer/build.ts";
import { type CachedEncoder, cachedEncoder } from "../../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { loadModel } from "../../indexer/model/model.ts";
import { SILENT } from "../../indexer/progress.ts";
import { beirSource } from "../../indexer/sources/beir.ts";
import type { Source } from "../../indexer/sources/source.ts";
import type { WriteStore } from "../../shared/store/store.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Queries with words that the passages have, words that they lack, and odd characters. */
export const QUERIES = [
  "who won the first nobel prize in physics",
  "song about loneliness",
  "the the the",
  "Zürich café 北京",
  "when did the american civil war end?",
  "xyzzy qwertyuiop",
  "how many episodes are in season 3",
  "river, lake & ocean!",
] as const;

/** The embedded encoder with a cache of its own, shared by what is built in one test file. */
export async function realEncoder(): Promise<CachedEncoder> {
  const model = await loadModel(join(ROOT, "models/minilm-splade"));
  const raw = await createOnnxEncoder(model, { device: "cpu" });
  return cachedEncoder(raw, mkdtempSync(join(tmpdir(), "lightedge-test-")));
}

/** The first `count` passages of the shipped collection. */
export function firstPassages(count: number): Source {
  const all = beirSource(join(ROOT, "examples/nq-qed"));
  return {
    description: all.description,
    async *records() {
      let left = count;
      for await (const record of all.records()) {
        if (left-- === 0) return;
        yield record;
      }
    },
  };
}

/** Builds an index named `test`. */
export function build(
  encoder: CachedEncoder,
  store: WriteStore,
  source: Source,
  shardChunks?: number,
): Promise<BuildReport> {
  return buildIndex(
    {
      index: "test",
      source,
      encoder,
      store,
      tasks: [],
      ...BUILD_DEFAULTS,
      now: () => new Date("2026-01-31T12:00:00Z"),
      ...(shardChunks === undefined ? {} : { shardChunks }),
    },
    SILENT,
  );
}
