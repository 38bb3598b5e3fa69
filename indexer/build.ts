/**
 * The pipeline: source -> collection -> corpus -> query tables -> lexicon -> fusion weight -> shards -> version.
 * Each stage takes and gives a value; the one pointer moves last, so a run that dies
 * anywhere leaves the version before it serving.
 */
import { LightedgeError } from "../shared/errors.ts";
import { bindingHash } from "../shared/format/binding.ts";
import type { WrittenFile } from "../shared/format/envelope.ts";
import { writeLexicon } from "../shared/format/lexicon.ts";
import { loadManifest } from "../shared/format/load.ts";
import {
  type BlobEntry,
  type BlobFacts,
  type Manifest,
  parseManifest,
  serializeManifest,
} from "../shared/format/manifest.ts";
import { blobKey } from "../shared/format/names.ts";
import { writeTokenizerFile } from "../shared/format/tokenizer-file.ts";
import type { Sha256 } from "../shared/hash.ts";
import type { RowBits } from "../shared/kernels/kernels.ts";
import type { WriteStore } from "../shared/store/store.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import { createRotation, ROTATION } from "./compress/rotate.ts";
import type { Encoder } from "./encode/encoder.ts";
import { loadPrior } from "./fit/prior.ts";
import type { Progress } from "./progress.ts";
import type { Source } from "./sources/source.ts";
import { statisticsOf } from "./sparse/impacts.ts";
import { chooseWeight } from "./stages/choose-weight.ts";
import { type Collection, collect } from "./stages/collect.ts";
import { type Corpus, encodeCorpus } from "./stages/encode-corpus.ts";
import { type BuiltTable, buildTable } from "./stages/fit-tables.ts";
import { makeLexicon } from "./stages/make-lexicon.ts";
import { makeShards } from "./stages/make-shards.ts";
import { MIX } from "./stages/mix.ts";
import { commit, putBlob, readPointer } from "./store/publish.ts";

/** What an index is built from and how. */
export interface BuildOptions {
  readonly index: string;
  readonly source: Source;
  readonly encoder: Encoder;
  readonly store: WriteStore;
  /** Tasks to make tables for, the default first; the model's first task when empty. */
  readonly tasks: readonly string[];
  /** Bits of a table value. 3 loses nothing measurable (decision 0005); fewer are smaller and coarser. */
  readonly bits: RowBits;
  /** Tokens at most that a chunk repeats from the one before. */
  readonly overlapTokens: number;
  /** Chunks of a shard; what fits the resident budget when absent. */
  readonly shardChunks?: number;
  /** Share of the dense side in hybrid search, 0 to 1; chosen on held-out texts of the corpus when absent. */
  readonly weight?: number | undefined;
  readonly now: () => Date;
}

/** The table bits and overlap of an index that says nothing else. */
export const BUILD_DEFAULTS = { bits: 3, overlapTokens: 0 } as const;

/** What a run did. */
export interface BuildReport {
  readonly version: string;
  /** False where the store held this very version already. */
  readonly changed: boolean;
  readonly manifest: Manifest;
  readonly bytesWritten: number;
  readonly tableBytes: number;
  /** Figures of the first table's fit. */
  readonly fit: Readonly<Record<string, number>>;
}

/** Builds an index and makes it current. Throws `store/conflict` when another run won meanwhile. */
export async function buildIndex(options: BuildOptions, progress: Progress): Promise<BuildReport> {
  const base = await readPointer(options.store, options.index);
  const collection = await collect(options.source, progress);
  try {
    if (collection.ids.length === 0) {
      throw new LightedgeError("source/invalid", `${options.source.description} holds no document to index.`);
    }
    const publisher = new Publisher(options.store);
    const parts = await makeParts(collection, publisher, options, progress);
    const stage = progress.stage("publish", 1);
    const report = await publishParts(parts, collection, base, publisher, options);
    stage.done(`version ${report.version}, ${publisher.bytesWritten} bytes written`);
    return report;
  } finally {
    await collection.close();
  }
}

interface Parts {
  readonly corpus: Corpus;
  readonly tokenizer: Sha256;
  readonly tasks: Manifest["tasks"];
  readonly tables: readonly BuiltTable[];
  readonly weight: number;
  readonly blobs: readonly BlobEntry[];
}

async function makeParts(
  collection: Collection,
  publisher: Publisher,
  options: BuildOptions,
  progress: Progress,
): Promise<Parts> {
  const { encoder } = options;
  const { model } = encoder;
  const { dimension, vocabulary } = model.description;
  const tasks = taskNames(options);
  const tokenizer = loadTokenizer(model.tokenizer);
  const rotation = createRotation(ROTATION, dimension);
  const tokenizerFile = await writeTokenizerFile(
    { encoder: model.encoderHash, lowercase: model.description.tokenizer.lowercase },
    model.tokenizer,
  );
  const blobs: BlobEntry[] = [{ role: "tokenizer", ...(await publisher.put(tokenizerFile)) }];
  const corpus = await encodeCorpus(
    collection,
    {
      encoder,
      tokenizer,
      rotation,
      task: tasks[0]!,
      maxTokens: model.maxTextTokens(tasks[0]!, "document"),
      overlapTokens: options.overlapTokens,
    },
    progress,
  );
  const statistics = statisticsOf(
    corpus.documents.map(({ bag }) => bag),
    vocabulary,
  );
  const prior = await loadPrior(model);
  const tables: BuiltTable[] = [];
  for (const task of tasks) {
    const queryPrompt = model.description.tasks[task]!.query_prompt;
    const table = await buildTable(
      collection,
      corpus,
      {
        task,
        queryPrompt,
        encoder,
        tokenizer,
        tokenizerSha256: tokenizerFile.sha256,
        rotation,
        bits: options.bits,
        prior,
        weights: statistics.idf,
      },
      progress,
    );
    tables.push(table);
    blobs.push({ role: "table", task, ...(await publisher.put(table.file)) });
  }
  const lexicon = await makeLexicon(collection, progress);
  if (lexicon !== null)
    blobs.push({ role: "lexicon", ...(await publisher.put(await writeLexicon(lexicon))) });
  const [first] = tables;
  const maxTokens = model.maxTextTokens(tasks[0]!, "document");
  const weightOptions = {
    encoder,
    tokenizer,
    rotation,
    task: tasks[0]!,
    maxTokens,
    statistics,
    table: first!,
    mix: MIX,
  };
  const weight = options.weight ?? (await chooseWeight(collection, corpus, weightOptions, progress)).weight;
  const shardOptions = {
    encoder: model.encoderHash,
    tokenizer: tokenizerFile.sha256,
    table: first!.file.sha256,
    dimension,
    vocabulary,
    statistics,
    decoded: first!.decoded,
    mix: MIX,
    ...(options.shardChunks === undefined ? {} : { chunks: options.shardChunks }),
  };
  let ordinal = 0;
  for await (const { shard, documents } of makeShards(collection, corpus, shardOptions, progress)) {
    blobs.push({ role: "shard", ordinal, ...(await publisher.put(shard)) });
    blobs.push({ role: "documents", ordinal, ...(await publisher.put(documents)) });
    ordinal++;
  }
  return {
    corpus,
    tokenizer: tokenizerFile.sha256,
    tasks: tasks.map((name, at) => ({
      name,
      query_prompt: model.description.tasks[name]!.query_prompt,
      table: tables[at]!.file.sha256,
    })),
    tables,
    weight,
    blobs,
  };
}

function taskNames({ tasks, encoder }: BuildOptions): readonly string[] {
  const known = Object.keys(encoder.model.description.tasks);
  for (const task of tasks) {
    if (known.includes(task)) continue;
    throw new LightedgeError("usage/invalid", `The model has no task ${task}; it has ${known.join(", ")}.`, {
      field: "task",
      value: task,
    });
  }
  return tasks.length > 0 ? tasks : known.slice(0, 1);
}

async function publishParts(
  parts: Parts,
  collection: Collection,
  base: Awaited<ReturnType<typeof readPointer>>,
  publisher: Publisher,
  options: BuildOptions,
): Promise<BuildReport> {
  const { store, index, encoder } = options;
  const { description, encoderHash } = encoder.model;
  const { dimension, vocabulary } = description;
  const manifest: Manifest = {
    format: 1,
    index,
    created: options.now().toISOString(),
    parent: (base?.pointer.manifest.sha256 ?? null) as Sha256 | null,
    model: {
      name: description.name,
      encoder: encoderHash,
      dimension,
      vocabulary,
      max_tokens: description.max_tokens,
    },
    binding: await bindingHash({
      encoder: encoderHash,
      dimension,
      vocabulary,
      tokenizer: parts.tokenizer,
      tables: parts.tasks.map(({ table }) => table),
    }),
    tasks: parts.tasks,
    fusion: { rule: "minmax", weight: parts.weight },
    counts: { documents: collection.ids.length, chunks: parts.corpus.chunks, rejected: collection.rejected },
    fields: collection.fields,
    blobs: orderBlobs(parts.blobs),
  };
  const facts = {
    bytesWritten: publisher.bytesWritten,
    tableBytes: parts.tables[0]!.file.bytes.length,
    fit: parts.tables[0]!.figures,
  };
  if (base !== null) {
    const current = await loadManifest(store, base.pointer.manifest);
    if (sameContent(current, manifest)) {
      const version = versionOf(base.pointer.seq, base.pointer.manifest.sha256);
      return { version, changed: false, manifest: current, ...facts };
    }
  }
  const bytes = serializeManifest(manifest);
  parseManifest(bytes);
  const outcome = await commit(store, index, { manifest: bytes, blobs: manifest.blobs, base });
  if (outcome.kind === "committed") {
    const version = versionOf(outcome.pointer.seq, outcome.pointer.manifest.sha256);
    return { version, changed: true, manifest, ...facts };
  }
  throw outcome.kind === "conflict"
    ? new LightedgeError(
        "store/conflict",
        `Another run published ${index} meanwhile; nothing of this one serves. Run it again.`,
      )
    : new LightedgeError(
        "store/unavailable",
        `The store did not say whether the new version of ${index} was published. Look with "lightedge info", then run again if it was not.`,
        {},
        outcome.cause,
      );
}

/** How a version is written: in answers, on the command line, in logs. */
function versionOf(seq: number, sha256: string): string {
  return `${seq}-${sha256.slice(0, 8)}`;
}

/** The manifest's order: the tokenizer, tables by task, the lexicon, shards by ordinal, documents by ordinal. */
function orderBlobs(blobs: readonly BlobEntry[]): readonly BlobEntry[] {
  const roles: readonly BlobEntry["role"][] = ["tokenizer", "table", "lexicon", "shard", "documents"];
  return roles.flatMap((role) => blobs.filter((blob) => blob.role === role));
}

/** Whether two versions differ in nothing but when they were made and from what. */
function sameContent(a: Manifest, b: Manifest): boolean {
  const plain = (manifest: Manifest) =>
    new TextDecoder().decode(serializeManifest({ ...manifest, created: b.created, parent: null }));
  return plain(a) === plain(b);
}

/** Puts files into the store as they are made and keeps count. */
class Publisher {
  readonly #store: WriteStore;
  bytesWritten = 0;

  constructor(store: WriteStore) {
    this.#store = store;
  }

  async put(file: WrittenFile): Promise<BlobFacts> {
    const { written } = await putBlob(this.#store, file.bytes);
    if (written) this.bytesWritten += file.bytes.length;
    return { key: blobKey(file.sha256), sha256: file.sha256, bytes: file.bytes.length, head: file.head };
  }
}
