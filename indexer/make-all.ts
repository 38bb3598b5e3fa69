/** A collection to the parts of a version, everything made anew: corpus -> query tables -> lexicon -> fusion weight -> clusters -> shards. */
import { writeClusters } from "../shared/format/clusters.ts";
import { writeLexicon } from "../shared/format/lexicon.ts";
import type { BlobEntry, Manifest } from "../shared/format/manifest.ts";
import type { RowBits } from "../shared/kernels/kernels.ts";
import { createAssigner } from "../shared/segment/clusters.ts";
import { impactsOf, statisticsOf } from "../shared/segment/impacts.ts";
import type { WriteStore } from "../shared/store/store.ts";
import { CLUSTERS_FROM } from "./fit/clusters.ts";
import type { SpanPlan } from "./fit/spans.ts";
import type { Progress } from "./progress.ts";
import { cachedTables } from "./stages/cached-tables.ts";
import { chooseWeight } from "./stages/choose-weight.ts";
import type { Collection } from "./stages/collect.ts";
import { encodeCorpus } from "./stages/encode-corpus.ts";
import { fittedTables } from "./stages/fit-tables.ts";
import { clusterKernels, makeClusters } from "./stages/make-clusters.ts";
import { makeLexicon } from "./stages/make-lexicon.ts";
import { corpusDocuments, impactScaleOf, makeShards } from "./stages/make-shards.ts";
import { rulesOf } from "./stages/query-rules.ts";
import { type BuiltTable, type TableSource, tokenUses } from "./stages/table-source.ts";
import { segmentFacts, type Tools } from "./stages/tools.ts";
import type { Publisher } from "./store/publish-version.ts";

/** Settings of making. */
export interface MakeOptions {
  /** Tasks to make tables for, the default first. */
  readonly tasks: readonly [string, ...string[]];
  readonly bits: RowBits;
  /** Bytes of a table at most; what an isolate can hold, or else two bits a value, when absent. */
  readonly tableBytes?: number | undefined;
  readonly overlapTokens: number;
  /** Chunks of a shard; what fits the resident budget when absent. */
  readonly shardChunks?: number | undefined;
  /** Chunks from which an index has clusters; `CLUSTERS_FROM` when absent. */
  readonly clustersFrom?: number | undefined;
  /** Share of the dense side; chosen on held-out texts when absent. */
  readonly weight?: number | undefined;
  readonly spans?: SpanPlan | undefined;
  /** Folder of caches, for the rows of a model's own table: such a model needs one. */
  readonly cache?: string | undefined;
  /** A store that may have such rows. */
  readonly store: WriteStore;
}

/** What a version is made of, stored. */
export interface MadeParts {
  readonly tasks: Manifest["tasks"];
  readonly weight: number;
  readonly chunks: number;
  readonly build: {
    readonly mean_length: number;
    readonly impact_scale: number;
    readonly fitted: number;
    readonly changed: number;
  };
  readonly blobs: readonly BlobEntry[];
  readonly tableBytes: number;
  /** Figures of the first table's fit; empty where none was fitted. */
  readonly fit: Readonly<Record<string, number>>;
}

/** Makes everything anew. Memory: vectors and tokens of all chunks, one shard. */
export async function makeAll(
  collection: Collection,
  tools: Tools,
  options: MakeOptions,
  publisher: Publisher,
  progress: Progress,
): Promise<MadeParts> {
  const { encoder, tokenizerFile } = tools;
  const { description } = encoder.model;
  const corpus = await encodeCorpus(collection, { ...tools, overlapTokens: options.overlapTokens }, progress);
  const statistics = statisticsOf(
    corpus.documents.map(({ bag }) => bag),
    description.vocabulary,
  );
  const rules = rulesOf(encoder.model);
  const { mix } = rules;
  const weights = rules.weights(statistics);
  const uses = tokenUses(corpus, description.vocabulary);
  const settings = { ...tools, bits: options.bits, tableBytes: options.tableBytes, weights, uses };
  const source =
    encoder.model.queryTable === "cached"
      ? cachedTables(settings, options, progress)
      : await fittedTables(collection, corpus, { ...settings, spans: options.spans }, progress);
  const { table, entries } = await makeTables(source, options.tasks, publisher);
  const clustersFrom = options.clustersFrom ?? CLUSTERS_FROM;
  const sparse = rules.sparse(corpus.chunks >= clustersFrom);
  const lexicon = await makeLexicon(collection, progress);
  const choosing = { ...tools, statistics, weights, sparse, table, mix, fallback: rules.weight };
  const weight = options.weight ?? (await chooseWeight(collection, corpus, choosing, progress)).weight;

  const blobs: BlobEntry[] = [{ role: "tokenizer", ...(await publisher.put(tokenizerFile)) }, ...entries];
  if (lexicon !== null)
    blobs.push({ role: "lexicon", ...(await publisher.put(await writeLexicon(lexicon))) });
  const clusters = await makeClusters(
    collection,
    corpus,
    {
      ...{ encoder: encoder.model.encoderHash, tokenizer: tools.tokenizer, table, mix },
      from: clustersFrom,
    },
    progress,
  );
  const clustersFile = clusters === null ? null : await writeClusters(clusters);
  if (clustersFile !== null) blobs.push({ role: "clusters", ...(await publisher.put(clustersFile)) });
  const assigner =
    clusters === null || clustersFile === null
      ? null
      : createAssigner(await clusterKernels(), clusters, clustersFile.sha256);
  const impacts = corpus.documents.map(({ bag, learned }) => impactsOf(bag, learned, statistics, sparse));
  const facts = segmentFacts(tools, table.file.sha256, { impact_scale: impactScaleOf(impacts), mix });
  const documents = corpusDocuments(collection, corpus, { impacts, table }, facts);
  let ordinal = 0;
  for await (const made of makeShards(documents, facts, progress, options.shardChunks, assigner)) {
    blobs.push({ role: "shard", ordinal, ...(await publisher.put(made.shard)) });
    blobs.push({ role: "documents", ordinal, ...(await publisher.put(made.documents)) });
    ordinal++;
  }
  return {
    tasks: options.tasks.map((name, at) => ({
      name,
      query_prompt: description.tasks[name]!.query_prompt,
      table: entries[at]!.sha256,
    })),
    weight,
    chunks: corpus.chunks,
    build: {
      mean_length: statistics.meanLength,
      impact_scale: facts.impact_scale,
      fitted: collection.ids.length,
      changed: 0,
    },
    blobs,
    tableBytes: table.file.bytes.length,
    fit: table.figures,
  };
}

/** The tables of all tasks, stored as they are made. Only the default task's stays in memory: documents are drawn towards it. */
async function makeTables(
  source: TableSource,
  tasks: MakeOptions["tasks"],
  publisher: Publisher,
): Promise<{ readonly table: BuiltTable; readonly entries: readonly BlobEntry[] }> {
  const entries: BlobEntry[] = [];
  const make = async (task: string): Promise<BuiltTable> => {
    const table = await source.table(task);
    entries.push({ role: "table", task, ...(await publisher.put(table.file)) });
    return table;
  };
  const [first, ...rest] = tasks;
  const table = await make(first);
  for (const task of rest) await make(task);
  return { table, entries };
}
