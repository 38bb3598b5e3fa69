/**
 * A version out of the one before: new and changed documents encoded into a new shard, small old shards
 * merged into it, what is gone marked as dead. Tables, clusters, impact scale and mean length stay as
 * they were fitted, so every document has the numbers that making all of them anew would give it.
 */

import { readClusters } from "../../shared/format/clusters.ts";
import { compareIds } from "../../shared/format/ids.ts";
import { writeLexicon } from "../../shared/format/lexicon.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import {
  type BlobEntry,
  type BlobFacts,
  blobsOf,
  type Manifest,
  type ManifestBuild,
} from "../../shared/format/manifest.ts";
import { readTable } from "../../shared/format/table.ts";
import { writeTombstones } from "../../shared/format/tombstones.ts";
import { type Assigner, createAssigner } from "../../shared/segment/clusters.ts";
import { impactsOf } from "../../shared/segment/impacts.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { decodeTable } from "../compress/decode-table.ts";
import type { MadeParts, MakeOptions } from "../make-all.ts";
import type { Progress } from "../progress.ts";
import { type Collection, someOf } from "../stages/collect.ts";
import { encodeCorpus } from "../stages/encode-corpus.ts";
import { clusterKernels } from "../stages/make-clusters.ts";
import { makeLexicon } from "../stages/make-lexicon.ts";
import { corpusDocuments, makeShards, type ShardDocument } from "../stages/make-shards.ts";
import { rulesOf } from "../stages/query-rules.ts";
import { segmentFacts, type Tools } from "../stages/tools.ts";
import type { Publisher } from "../store/publish-version.ts";
import type { Base } from "./base.ts";
import type { RunPlan } from "./plan.ts";
import { storedDocuments } from "./stored-documents.ts";

/** A shard of the new version, wherever it comes from. */
interface Part {
  /** Its least id, by which shards are put in order. */
  readonly first: string;
  readonly chunks: number;
  readonly dead: readonly number[];
  readonly shard: BlobFacts;
  readonly documents: BlobFacts;
}

/** Makes what a plan asks for and takes the rest from the base, which must have what `planRun` found it to have. */
export async function makeSome(
  store: ReadStore,
  base: Base & { readonly manifest: { readonly build?: ManifestBuild } },
  plan: RunPlan,
  collection: Collection,
  tools: Tools,
  options: MakeOptions,
  publisher: Publisher,
  progress: Progress,
): Promise<MadeParts> {
  const { manifest } = base;
  const build = manifest.build!;
  const [tableEntry] = blobsOf(manifest, "table");
  const parts = keptParts(base, plan);
  const clusters = plan.kind === "none" ? null : await keptClusters(store, manifest);
  const { mix } = rulesOf(tools.encoder.model);
  const facts = segmentFacts(tools, tableEntry!.sha256, { impact_scale: build.impact_scale, mix });
  const documents = [
    ...(await freshDocuments(store, base, plan, collection, tools, options, facts, progress)),
    ...(await mergedDocuments(store, base, plan)),
  ].sort((a, b) => compareIds(a.id, b.id));
  for await (const made of makeShards(documents, facts, progress, options.shardChunks, clusters)) {
    parts.push({
      first: made.first,
      chunks: made.chunks,
      dead: [],
      shard: await publisher.put(made.shard),
      documents: await publisher.put(made.documents),
    });
  }
  parts.sort((a, b) => compareIds(a.first, b.first));

  const blobs: BlobEntry[] = [...blobsOf(manifest, "tokenizer"), ...blobsOf(manifest, "table")];
  const lexicon = plan.kind === "none" ? null : await makeLexicon(collection, progress);
  if (plan.kind === "none") blobs.push(...blobsOf(manifest, "lexicon"));
  else if (lexicon !== null)
    blobs.push({ role: "lexicon", ...(await publisher.put(await writeLexicon(lexicon))) });
  blobs.push(...blobsOf(manifest, "clusters"));
  parts.forEach(({ shard, documents: records }, ordinal) => {
    blobs.push({ role: "shard", ordinal, ...shard }, { role: "documents", ordinal, ...records });
  });
  if (parts.some(({ dead }) => dead.length > 0)) {
    const file = await writeTombstones(parts.map(({ dead }) => dead));
    blobs.push({ role: "tombstones", ...(await publisher.put(file)) });
  }
  return {
    tasks: manifest.tasks,
    weight: options.weight ?? manifest.fusion.weight,
    chunks: parts.reduce((sum, { chunks }) => sum + chunks, 0),
    build: {
      mean_length: build.mean_length,
      impact_scale: build.impact_scale,
      fitted: build.fitted,
      changed: build.changed + plan.added + plan.changed + plan.removed,
    },
    blobs,
    tableBytes: tableEntry!.bytes,
    fit: {},
  };
}

/** The base's clusters, for what is new; null where it has none. */
async function keptClusters(store: ReadStore, manifest: Manifest): Promise<Assigner | null> {
  const [entry] = blobsOf(manifest, "clusters");
  if (entry === undefined) return null;
  return createAssigner(await clusterKernels(), readClusters(await loadEnvelope(store, entry)), entry.sha256);
}

function keptParts({ shards }: Base, plan: RunPlan): Part[] {
  return shards.flatMap((base, at): readonly Part[] => {
    const { fate, dead } = plan.shards[at]!;
    if (fate !== "keep") return [];
    const gone = new Set(dead);
    const chunks = base.chunks.reduce((sum, count, row) => sum + (gone.has(row) ? 0 : count), 0);
    const { role: _, ordinal: __, ...shard } = base.shard;
    const { role: ___, ordinal: ____, ...documents } = base.documents;
    return [{ first: base.ids[0]!, chunks, dead, shard, documents }];
  });
}

async function freshDocuments(
  store: ReadStore,
  { manifest }: Base,
  { fresh }: RunPlan,
  collection: Collection,
  tools: Tools,
  { overlapTokens }: MakeOptions,
  facts: Parameters<typeof corpusDocuments>[3],
  progress: Progress,
): Promise<readonly ShardDocument[]> {
  if (fresh.length === 0) return [];
  const some = someOf(collection, fresh);
  const corpus = await encodeCorpus(some, { ...tools, overlapTokens }, progress);
  const statistics = { meanLength: manifest.build!.mean_length };
  const sparse = rulesOf(tools.encoder.model).sparse(blobsOf(manifest, "clusters").length > 0);
  const impacts = corpus.documents.map(({ bag, learned }) => impactsOf(bag, learned, statistics, sparse));
  const table = readTable(await loadEnvelope(store, blobsOf(manifest, "table")[0]!));
  return corpusDocuments(some, corpus, { impacts, table: decodeTable(table) }, facts);
}

async function mergedDocuments(
  store: ReadStore,
  { shards }: Base,
  plan: RunPlan,
): Promise<readonly ShardDocument[]> {
  const merged: ShardDocument[] = [];
  for (const [at, shard] of shards.entries()) {
    const { fate, dead } = plan.shards[at]!;
    if (fate === "merge") merged.push(...(await storedDocuments(store, shard, dead)));
  }
  return merged;
}
