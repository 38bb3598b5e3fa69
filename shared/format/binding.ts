/** What may be used together: one digest over the parts of an index that must fit. docs/format.md section 12. */

import { LightedgeError } from "../errors.ts";
import { type Sha256, sha256OfJson } from "../hash.ts";
import type { ClustersMeta } from "./clusters.ts";
import { FORMAT_VERSION } from "./head.ts";
import type { Manifest } from "./manifest.ts";
import type { ShardMeta } from "./shard.ts";
import type { TableMeta } from "./table.ts";
import type { TokenizerMeta } from "./tokenizer-file.ts";

/** How document vectors are stored in this version of the format. */
const QUANTISER = "sign-1+int8-row";

/** The parts that decide what a query's numbers mean. Prompt, case rule, bits and rotation are inside the blobs named. */
export interface BindingParts {
  readonly encoder: Sha256;
  readonly dimension: number;
  readonly vocabulary: number;
  /** Digest of the tokenizer file. */
  readonly tokenizer: Sha256;
  /** Digests of the tables in the order of the tasks. */
  readonly tables: readonly Sha256[];
}

/** The metas at hand, all or some of an index's: whoever opens a part adds it. */
export interface OpenedParts {
  readonly tokenizer?: TokenizerMeta;
  readonly tables?: readonly TableMeta[];
  readonly shards?: readonly ShardMeta[];
  readonly clusters?: ClustersMeta;
}

/** The binding of these parts, with the format's version and quantiser. */
export function bindingHash(parts: BindingParts): Promise<Sha256> {
  const { encoder, dimension, vocabulary, tokenizer, tables } = parts;
  return sha256OfJson({
    format: FORMAT_VERSION,
    quantiser: QUANTISER,
    encoder,
    dimension,
    vocabulary,
    tokenizer,
    tables,
  });
}

/** The parts as a manifest names them. */
export function bindingParts({ model, tasks, blobs }: Omit<Manifest, "binding">): BindingParts {
  const tokenizer = blobs.find((blob) => blob.role === "tokenizer");
  if (tokenizer === undefined) throw new LightedgeError("format/invalid", "The manifest names no tokenizer.");
  return {
    encoder: model.encoder,
    dimension: model.dimension,
    vocabulary: model.vocabulary,
    tokenizer: tokenizer.sha256,
    tables: tasks.map((task) => task.table),
  };
}

/**
 * Throws `binding/mismatch`, naming the two parts that differ, unless the manifest's binding
 * is that of its parts and everything opened belongs to them. Digests of blobs are not
 * compared here but where they are loaded.
 */
export async function checkBinding(manifest: Manifest, opened: OpenedParts): Promise<void> {
  const parts = bindingParts(manifest);
  same("binding", manifest.binding, "the manifest", await bindingHash(parts), "the parts it names");
  const { tokenizer, tables = [], shards = [], clusters } = opened;
  const clustersBlob = manifest.blobs.find((blob) => blob.role === "clusters");
  if (tokenizer !== undefined)
    same("encoder", tokenizer.encoder, "the tokenizer", parts.encoder, "the manifest");
  for (const table of tables) checkTable(manifest, parts, table);
  for (const [at, shard] of shards.entries()) {
    const name = `shard ${at} (from document ${shard.first_document})`;
    checkModel(parts, shard, name);
    const own = shard.clusters?.sha256;
    if (own !== undefined) same("clusters", own, name, clustersBlob?.sha256 ?? "absent", "the manifest");
    if (!parts.tables.includes(shard.table)) {
      throw mismatch("table", shard.table, name, parts.tables.join(", "), "the manifest");
    }
  }
  checkVectors(tables, shards);
  if (clusters !== undefined) checkClusters(parts, clusters, tables[0]);
}

/** Centroids live in the rotated space of the vectors, which is that of the table they were matched with. */
function checkClusters(parts: BindingParts, clusters: ClustersMeta, table: TableMeta | undefined): void {
  const name = "the clusters";
  same("encoder", clusters.encoder, name, parts.encoder, "the manifest");
  same("dimension", clusters.dimension, name, parts.dimension, "the manifest");
  if (!parts.tables.includes(clusters.table))
    throw mismatch("table", clusters.table, name, parts.tables.join(", "), "the manifest");
  if (table !== undefined)
    same("padded", clusters.padded, name, table.padded, `the table of task ${table.task}`);
}

function checkTable(manifest: Manifest, parts: BindingParts, table: TableMeta): void {
  const name = `the table of task ${table.task}`;
  checkModel(parts, table, name);
  const task = manifest.tasks.find((candidate) => candidate.name === table.task);
  same("task", table.task, name, task?.name ?? "absent", "the manifest");
  same("query_prompt", table.query_prompt, name, task?.query_prompt ?? "absent", "the manifest");
}

function checkModel(parts: BindingParts, meta: TableMeta | ShardMeta, name: string): void {
  same("encoder", meta.encoder, name, parts.encoder, "the manifest");
  same("tokenizer", meta.tokenizer, name, parts.tokenizer, "the manifest");
  same("dimension", meta.dimension, name, parts.dimension, "the manifest");
  same("vocabulary", meta.vocabulary, name, parts.vocabulary, "the manifest");
}

/** All vectors of an index live in one rotated space, since any task's query meets any shard. */
function checkVectors(tables: readonly TableMeta[], shards: readonly ShardMeta[]): void {
  const [first] = tables;
  if (first === undefined) return;
  const rotation = ({ kind, seed, rounds }: TableMeta["rotation"]) => `${kind} ${seed} ${rounds}`;
  for (const table of tables) {
    const name = `the table of task ${table.task}`;
    same("padded", table.padded, name, first.padded, `the table of task ${first.task}`);
    same(
      "rotation",
      rotation(table.rotation),
      name,
      rotation(first.rotation),
      `the table of task ${first.task}`,
    );
  }
  for (const [at, shard] of shards.entries()) {
    same("padded", shard.padded, `shard ${at}`, first.padded, `the table of task ${first.task}`);
  }
}

function same(what: string, a: string | number, aName: string, b: string | number, bName: string): void {
  if (a !== b) throw mismatch(what, a, aName, b, bName);
}

function mismatch(
  what: string,
  a: string | number,
  aName: string,
  b: string | number,
  bName: string,
): LightedgeError {
  return new LightedgeError(
    "binding/mismatch",
    `${aName} and ${bName} differ in ${what}: ${a} against ${b}. They come from different runs; publish the index again.`,
    { field: what },
  );
}
