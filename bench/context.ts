/** What the measurements share: a collection, an index of it, an encoder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILD_DEFAULTS, buildIndex } from "../indexer/build.ts";
import { type CachedEncoder, cachedEncoder } from "../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../indexer/encode/onnx.ts";
import { openInNode } from "../indexer/engine-node.ts";
import { readTestCollection, type TestCollection } from "../indexer/evaluate/collection.ts";
import { loadModel } from "../indexer/model/model.ts";
import type { Progress } from "../indexer/progress.ts";
import { openSource } from "../indexer/sources/open.ts";
import { openStore } from "../indexer/store/open.ts";
import type { OpenIndex } from "../shared/engine/api.ts";
import type { WriteStore } from "../shared/store/store.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A prepared run. */
export interface Context {
  readonly collection: TestCollection;
  /** The index's name in the store. */
  readonly name: string;
  readonly store: WriteStore;
  readonly storeUrl: string;
  readonly index: OpenIndex;
  readonly encoder: CachedEncoder;
}

/** Where SciFact lies beside a checkout, and what is measured where it does not: the collection that ships with the project. */
export function defaultCollection(): string {
  const scifact = join(ROOT, "..", "shared", "collections", "scifact");
  return existsSync(scifact) ? scifact : join(ROOT, "examples", "nq-qed");
}

/** Indexes a collection, from the cache where it was encoded before, and opens it. */
export async function prepare(folder: string, progress: Progress): Promise<Context> {
  const collection = await readTestCollection(folder);
  const storeUrl = `file:${join(ROOT, ".lightedge", "bench")}`;
  const store = openStore(storeUrl);
  const model = await loadModel(join(ROOT, "models", "minilm-splade"));
  const encoder = cachedEncoder(
    await createOnnxEncoder(model, { device: "cpu" }),
    join(ROOT, ".lightedge", "cache"),
  );
  const name = `bench-${collection.name}`.toLowerCase();
  await buildIndex(
    {
      index: name,
      source: await openSource([collection.folder], "beir"),
      encoder,
      store,
      tasks: [],
      ...BUILD_DEFAULTS,
      // What is measured is this code's work, not what an older one left in the store.
      rebuild: "all",
      allowShrink: true,
      now: () => new Date(),
    },
    progress,
  );
  return { collection, name, store, storeUrl, index: await openInNode(store, name), encoder };
}
