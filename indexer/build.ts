/**
 * The pipeline: source -> collection -> corpus -> query tables -> lexicon -> fusion weight -> shards -> version.
 * Each stage takes and gives a value; the one pointer moves last, so a run that dies
 * anywhere leaves the version before it serving.
 */
import { LightedgeError } from "../shared/errors.ts";
import { writeLexicon } from "../shared/format/lexicon.ts";
import type { BlobEntry } from "../shared/format/manifest.ts";
import { writeTokenizerFile } from "../shared/format/tokenizer-file.ts";
import type { RowBits } from "../shared/kernels/kernels.ts";
import { impactsOf, statisticsOf } from "../shared/segment/impacts.ts";
import type { WriteStore } from "../shared/store/store.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import { createRotation, ROTATION } from "./compress/rotate.ts";
import type { Encoder } from "./encode/encoder.ts";
import { loadPrior } from "./fit/prior.ts";
import type { SpanPlan } from "./fit/spans.ts";
import type { Progress } from "./progress.ts";
import type { Source } from "./sources/source.ts";
import { chooseWeight } from "./stages/choose-weight.ts";
import { type Collection, collect } from "./stages/collect.ts";
import { encodeCorpus } from "./stages/encode-corpus.ts";
import { type BuiltTable, buildTable } from "./stages/fit-tables.ts";
import { makeLexicon } from "./stages/make-lexicon.ts";
import { impactScaleOf, makeShards } from "./stages/make-shards.ts";
import { MIX } from "./stages/mix.ts";
import { readPointer } from "./store/publish.ts";
import { type Published, Publisher, publishVersion, type VersionContent } from "./store/publish-version.ts";

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
  /** Texts of the corpus that the tables are fitted to; `SPAN_PLAN` when absent. */
  readonly spans?: SpanPlan;
  readonly now: () => Date;
}

/** The table bits and overlap of an index that says nothing else. */
export const BUILD_DEFAULTS = { bits: 3, overlapTokens: 0 } as const;

/** What a run did. */
export interface BuildReport extends Published {
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
    const published = await publishVersion(options.store, parts.content, base, options.now());
    stage.done(`version ${published.version}, ${publisher.bytesWritten} bytes written`);
    const { file, figures } = parts.table;
    return {
      ...published,
      bytesWritten: publisher.bytesWritten,
      tableBytes: file.bytes.length,
      fit: figures,
    };
  } finally {
    await collection.close();
  }
}

interface Parts {
  /** The table of the first task. */
  readonly table: BuiltTable;
  readonly content: VersionContent;
}

async function makeParts(
  collection: Collection,
  publisher: Publisher,
  options: BuildOptions,
  progress: Progress,
): Promise<Parts> {
  const { encoder } = options;
  const { description, encoderHash, tokenizer: tokenizerValue } = encoder.model;
  const { name, dimension, vocabulary, max_tokens } = description;
  const tasks = taskNames(options);
  const [task] = tasks;
  const tokenizer = loadTokenizer(tokenizerValue);
  const tokenizerFile = await writeTokenizerFile(
    { encoder: encoderHash, lowercase: description.tokenizer.lowercase },
    tokenizerValue,
  );
  const rotation = createRotation(ROTATION, dimension);
  const maxTokens = encoder.model.maxTextTokens(task, "document");
  const common = { encoder, tokenizer, rotation, task, maxTokens };

  const corpus = await encodeCorpus(
    collection,
    { ...common, overlapTokens: options.overlapTokens },
    progress,
  );
  const statistics = statisticsOf(
    corpus.documents.map(({ bag }) => bag),
    vocabulary,
  );
  const prior = await loadPrior(encoder.model);
  const tables: BuiltTable[] = [];
  for (const each of tasks) {
    const tableOptions = {
      ...common,
      task: each,
      queryPrompt: description.tasks[each]!.query_prompt,
      tokenizerSha256: tokenizerFile.sha256,
      bits: options.bits,
      prior,
      weights: statistics.idf,
      ...(options.spans === undefined ? {} : { spans: options.spans }),
    };
    tables.push(await buildTable(collection, corpus, tableOptions, progress));
  }
  const table = tables[0]!;
  const lexicon = await makeLexicon(collection, progress);
  const weight =
    options.weight ??
    (await chooseWeight(collection, corpus, { ...common, statistics, table, mix: MIX }, progress)).weight;

  const blobs: BlobEntry[] = [{ role: "tokenizer", ...(await publisher.put(tokenizerFile)) }];
  for (const [at, { file }] of tables.entries())
    blobs.push({ role: "table", task: tasks[at]!, ...(await publisher.put(file)) });
  if (lexicon !== null)
    blobs.push({ role: "lexicon", ...(await publisher.put(await writeLexicon(lexicon))) });
  const impacts = corpus.documents.map(({ bag, learned }) => impactsOf(bag, learned, statistics));
  const shardOptions = {
    encoder: encoderHash,
    tokenizer: tokenizerFile.sha256,
    table: table.file.sha256,
    dimension,
    vocabulary,
    impacts,
    impactScale: impactScaleOf(impacts),
    decoded: table.decoded,
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
    table,
    content: {
      index: options.index,
      model: { name, encoder: encoderHash, dimension, vocabulary, max_tokens },
      tasks: tasks.map((each, at) => ({
        name: each,
        query_prompt: description.tasks[each]!.query_prompt,
        table: tables[at]!.file.sha256,
      })),
      fusion: { rule: "minmax", weight },
      counts: { documents: collection.ids.length, chunks: corpus.chunks, rejected: collection.rejected },
      fields: collection.fields,
      blobs,
    },
  };
}

/** The tasks to make tables for: at least one. */
function taskNames({ tasks, encoder }: BuildOptions): readonly [string, ...string[]] {
  const known = Object.keys(encoder.model.description.tasks);
  for (const task of tasks) {
    if (known.includes(task)) continue;
    throw new LightedgeError("usage/invalid", `The model has no task ${task}; it has ${known.join(", ")}.`, {
      field: "task",
      value: task,
    });
  }
  const [first = known[0]!, ...rest] = tasks;
  return [first, ...rest];
}
