/** What the measurements at scale share: the collection of `corpus.ts`, an index of it, its vectors in float32, queries. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILD_DEFAULTS, buildIndex } from "../../indexer/build.ts";
import { EMBEDDED_MODEL } from "../../indexer/commands/options.ts";
import { decodeTable } from "../../indexer/compress/decode-table.ts";
import { createRotation, ROTATION } from "../../indexer/compress/rotate.ts";
import { type CachedEncoder, cachedEncoder } from "../../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { loadModel } from "../../indexer/model/model.ts";
import type { Progress } from "../../indexer/progress.ts";
import { jsonlSource } from "../../indexer/sources/jsonl.ts";
import { openSource } from "../../indexer/sources/open.ts";
import { collect } from "../../indexer/stages/collect.ts";
import { encodeCorpus } from "../../indexer/stages/encode-corpus.ts";
import { MIX, mixVectors } from "../../indexer/stages/mix.ts";
import { openStore } from "../../indexer/store/open.ts";
import { readCurrent } from "../../shared/engine/open.ts";
import { loadEnvelope, loadManifest } from "../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { readTable } from "../../shared/format/table.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { writeCorpus } from "./corpus.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The index's name in the store. */
export const INDEX = "scale";

/** Where the measurements keep what takes long to make. */
export interface ScaleOptions {
  /** Folder of the collection and its vectors; `.lightedge/scale` when absent. */
  readonly folder?: string | undefined;
  /** Store of the index; in the folder when absent. */
  readonly store?: string | undefined;
  /** Whether the index is made anew from cached encodings, and not only where it is missing. */
  readonly rebuild?: boolean | undefined;
}

/** A prepared run. */
export interface Scale {
  readonly folder: string;
  /** The collection, one document a line. */
  readonly corpus: string;
  readonly store: WriteStore;
  readonly storeUrl: string;
  readonly manifest: Manifest;
  readonly encoder: CachedEncoder;
  readonly progress: Progress;
}

/** Makes what is missing. Minutes the first time, for encoding a hundred thousand passages; seconds afterwards. */
export async function prepareScale(options: ScaleOptions, progress: Progress): Promise<Scale> {
  const folder = options.folder ?? join(ROOT, ".lightedge", "scale");
  await mkdir(folder, { recursive: true });
  const corpus = join(folder, "corpus.jsonl");
  if (!existsSync(corpus)) await writeCorpus(corpus);
  const storeUrl = options.store ?? `file:${join(folder, "store")}`;
  const store = openStore(storeUrl);
  const model = await loadModel(EMBEDDED_MODEL);
  const encoder = cachedEncoder(
    await createOnnxEncoder(model, { device: "cpu" }),
    join(ROOT, ".lightedge", "cache"),
  );
  if (options.rebuild || (await currentManifest(store)) === null) {
    const source = await openSource([corpus], "jsonl");
    const settings = { ...BUILD_DEFAULTS, rebuild: "all", allowShrink: true, tasks: [] } as const;
    await buildIndex({ index: INDEX, source, encoder, store, ...settings, now: () => new Date() }, progress);
  }
  const manifest = await currentManifest(store);
  if (manifest === null) throw new Error(`The index ${INDEX} is not in ${storeUrl}.`);
  return { folder, corpus, store, storeUrl, manifest, encoder, progress };
}

async function currentManifest(store: WriteStore): Promise<Manifest | null> {
  try {
    return await loadManifest(store, (await readCurrent(store, INDEX)).manifest);
  } catch {
    return null;
  }
}

/** The collection's documents in the order of the index, and the vectors that its shards hold, in float32 as before they were compressed. */
export interface ScaleVectors {
  readonly ids: readonly string[];
  readonly dimension: number;
  /** Documents x dimension, unit length, rotated: every document has one chunk. */
  readonly vectors: Float32Array<ArrayBuffer>;
}

/** The vectors of an index's documents. Cost: half a minute the first time, then one read of 150 MB. */
export async function scaleVectors(scale: Scale): Promise<ScaleVectors> {
  const { corpus, manifest, store, encoder, progress } = scale;
  const { description, tokenizer: tokenizerFile } = encoder.model;
  const { dimension } = description;
  const task = manifest.tasks[0]!.name;
  const [table] = blobsOf(manifest, "table");
  const name = join(scale.folder, `vectors-${table!.sha256.slice(0, 16)}`);
  if (existsSync(`${name}.json`)) {
    const bytes = await readFile(`${name}.f32`);
    const vectors = new Float32Array(bytes.length / 4);
    new Uint8Array(vectors.buffer).set(bytes);
    return { ids: JSON.parse(await readFile(`${name}.json`, "utf8")), dimension, vectors };
  }
  const collection = await collect(jsonlSource(corpus), progress);
  try {
    const tokenizer = loadTokenizer(tokenizerFile);
    const encoded = await encodeCorpus(
      collection,
      {
        encoder,
        tokenizer,
        rotation: createRotation(ROTATION, dimension),
        task,
        maxTokens: encoder.model.maxTextTokens(task, "document"),
        overlapTokens: BUILD_DEFAULTS.overlapTokens,
      },
      progress,
    );
    const decoded = decodeTable(readTable(await loadEnvelope(store, table!)));
    const vectors = new Float32Array(collection.ids.length * dimension);
    encoded.documents.forEach(({ firstChunk, passages }, document) => {
      if (passages.length !== 1)
        throw new Error(`${collection.ids[document]} has ${passages.length} chunks.`);
      vectors.set(
        mixVectors(encoded.vector(firstChunk), encoded.tokens(firstChunk), decoded, MIX),
        document * dimension,
      );
    });
    await writeFile(`${name}.f32`, vectors);
    await writeFile(`${name}.json`, JSON.stringify(collection.ids));
    return { ids: collection.ids, dimension, vectors };
  } finally {
    await collection.close();
  }
}
