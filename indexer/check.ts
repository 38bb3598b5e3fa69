/** Everything an index is made of, read and held against everything else, from the pointer to the last record. */
import { asLightedgeError } from "../shared/errors.ts";
import { checkBinding } from "../shared/format/binding.ts";
import { readClusters } from "../shared/format/clusters.ts";
import type { DocumentBlock } from "../shared/format/document-block.ts";
import { openDocuments } from "../shared/format/documents.ts";
import { idAt } from "../shared/format/ids.ts";
import { readLexicon } from "../shared/format/lexicon.ts";
import { loadEnvelope, loadManifest } from "../shared/format/load.ts";
import { type BlobEntry, blobsOf, type Manifest } from "../shared/format/manifest.ts";
import { REGISTRY_KEY, versionName } from "../shared/format/names.ts";
import { readOverlay } from "../shared/format/overlay.ts";
import { wholeSource } from "../shared/format/ranged.ts";
import { readShard, type ShardFile, type ShardMeta } from "../shared/format/shard.ts";
import { readTable, type TableMeta } from "../shared/format/table.ts";
import { readTokenizerFile } from "../shared/format/tokenizer-file.ts";
import { deadByShard, readTombstones } from "../shared/format/tombstones.ts";
import { type Assigner, createAssigner } from "../shared/segment/clusters.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import { readExisting } from "../shared/versions/current.ts";
import { readRegistry } from "../shared/versions/registry.ts";
import { clusterKernels } from "./stages/make-clusters.ts";
import { findVersion } from "./store/versions.ts";

/** What a check found. */
export interface CheckReport {
  readonly index: string;
  readonly version: string;
  readonly blobs: number;
  readonly bytes: number;
  readonly documents: number;
  readonly chunks: number;
  /** One sentence for each thing that is wrong; empty for a sound index. */
  readonly problems: readonly string[];
}

/** Which version to check, as `findVersion` reads it; the current one when absent. */
export interface CheckOptions {
  readonly version?: string | undefined;
}

/**
 * Reads the whole of one version, and what leads to it. Throws `index/not-found`, `version/not-found`, or
 * what reading pointer, registry and manifest throws; all else becomes a problem.
 */
export async function checkIndex(
  store: ReadStore,
  name: string,
  { version: wanted }: CheckOptions = {},
): Promise<CheckReport> {
  const stored = await readExisting(store, name);
  const problems: string[] = [];
  const registry = await readRegistry(store);
  if (!registry?.registry.indexes.includes(name))
    problems.push(
      `${name} is not in ${REGISTRY_KEY}: garbage collection may not know of it. Publish it again.`,
    );
  if (wanted !== undefined) {
    const { version, manifest } = await findVersion(store, name, wanted, stored);
    return checkVersion(store, version, manifest, problems);
  }
  const { pointer } = stored;
  const manifest = await loadManifest(store, pointer.manifest);
  if (pointer.parent !== manifest.parent)
    problems.push(`The pointer of ${name} names another parent than its manifest.`);
  if ((manifest.parent === null) !== (pointer.seq === 1))
    problems.push(
      `Version ${pointer.seq} of ${name} ${manifest.parent === null ? "lacks" : "has"} a parent.`,
    );
  return checkVersion(store, versionName(pointer.seq, pointer.manifest.sha256), manifest, problems);
}

/** Everything that a manifest names. Adds to `problems`. */
async function checkVersion(
  store: ReadStore,
  version: string,
  manifest: Manifest,
  problems: string[],
): Promise<CheckReport> {
  const attempt = async <T>(part: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      problems.push(`${part}: ${asLightedgeError(error).message}`);
      return null;
    }
  };

  const [tokenizerBlob] = blobsOf(manifest, "tokenizer");
  const tokenizer = await attempt("Tokenizer", async () => {
    const content = readTokenizerFile(await loadEnvelope(store, tokenizerBlob!));
    loadTokenizer(content.value);
    return content.meta;
  });
  const tables: (TableMeta | null)[] = [];
  for (const blob of blobsOf(manifest, "table"))
    tables.push(
      await attempt(`Table of ${blob.task}`, async () => readTable(await loadEnvelope(store, blob)).meta),
    );
  for (const blob of blobsOf(manifest, "lexicon"))
    await attempt("Lexicon", async () => readLexicon(await loadEnvelope(store, blob)));
  for (const blob of blobsOf(manifest, "overlay"))
    await attempt("Overlay", async () => readOverlay(await loadEnvelope(store, blob)));
  const [clustersBlob] = blobsOf(manifest, "clusters");
  const clusters =
    clustersBlob &&
    (await attempt("Clusters", async () => readClusters(await loadEnvelope(store, clustersBlob))));
  const assigner = clusters && createAssigner(await clusterKernels(), clusters, clustersBlob.sha256);
  const [tombstones] = blobsOf(manifest, "tombstones");
  const shardCount = blobsOf(manifest, "shard").length;
  const dead =
    tombstones &&
    (await attempt("Tombstones", async () =>
      deadByShard(readTombstones(await loadEnvelope(store, tombstones)), shardCount),
    ));
  const shards: (ShardMeta | null)[] = [];
  const living = new Map<string, number>();
  let documents = 0;
  let chunks = 0;
  for (const [ordinal, blob] of blobsOf(manifest, "shard").entries()) {
    const shard = await attempt(`Shard ${ordinal}`, async () => readShard(await loadEnvelope(store, blob)));
    shards.push(shard?.meta ?? null);
    if (shard === null) continue;
    const gone = new Set(dead?.[ordinal]);
    for (const row of gone)
      if (row >= shard.meta.documents)
        problems.push(
          `Document ${row} of shard ${ordinal} is said to be dead; the shard has ${shard.meta.documents}.`,
        );
    for (let document = 0; document < shard.meta.documents; document++) {
      if (gone.has(document)) continue;
      documents++;
      chunks += shard.owners[document + 1]! - shard.owners[document]!;
      const id = idAt(shard, document);
      const other = living.get(id);
      if (other !== undefined)
        problems.push(`Document ${id} lives in shard ${other} and in shard ${ordinal}.`);
      living.set(id, ordinal);
    }
    if (assigner && shard.order !== undefined && !isOrder(assigner, shard))
      problems.push(`Codes of shard ${ordinal} are in other clusters than those nearest to their vectors.`);
    const entry = blobsOf(manifest, "documents")[ordinal]!;
    await attempt(`Documents of shard ${ordinal}`, () =>
      checkDocuments(store, entry, shard, ordinal, problems),
    );
  }
  checkCounts(manifest, documents, chunks, problems);
  await attempt("Binding", () =>
    checkBinding(manifest, {
      ...(tokenizer === null ? {} : { tokenizer }),
      tables: tables.filter((meta) => meta !== null),
      shards: shards.filter((meta) => meta !== null),
      ...(clusters ? { clusters: clusters.meta } : {}),
    }),
  );
  const bytes = manifest.blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  return { index: manifest.index, version, blobs: manifest.blobs.length, bytes, documents, chunks, problems };
}

/** Whether a shard's codes are in the order that their vectors give. Cost: a product of every vector with every centroid. */
function isOrder(assigner: Assigner, { meta, vectors, order }: ShardFile): boolean {
  const wanted = assigner.order(vectors, meta.chunks);
  return (
    wanted.starts.length === order?.starts.length &&
    wanted.starts.every((start, at) => start === order.starts[at]) &&
    wanted.chunks.every((chunk, at) => chunk === order.chunks[at])
  );
}

function checkCounts({ counts }: Manifest, documents: number, chunks: number, problems: string[]): void {
  if (counts.documents !== documents)
    problems.push(`The manifest counts ${counts.documents} documents and the shards ${documents}.`);
  if (counts.chunks !== chunks)
    problems.push(`The manifest counts ${counts.chunks} chunks and the shards ${chunks}.`);
}

/** Every record of a documents file against its shard: id, passages, and that passages lie within the text. */
async function checkDocuments(
  store: ReadStore,
  entry: BlobEntry,
  shard: ShardFile,
  ordinal: number,
  problems: string[],
): Promise<void> {
  const file = await openDocuments(wholeSource(await loadEnvelope(store, entry)));
  if (file.meta.count !== shard.meta.documents) {
    problems.push(
      `Shard ${ordinal} has ${shard.meta.documents} documents and its documents file ${file.meta.count}.`,
    );
  }
  let open: { readonly number: number; readonly block: DocumentBlock } | undefined;
  for (let document = 0; document < shard.meta.documents; document++) {
    const number = shard.places[2 * document]!;
    if (open === undefined || open.number !== number)
      open = { number, block: (await file.blocks([number]))[0]! };
    const record = open.block.record(shard.places[2 * document + 1]!);
    const id = idAt(shard, document);
    if (record.id !== id) problems.push(`Document ${id} of shard ${ordinal} is stored as ${record.id}.`);
    const first = shard.owners[document]!;
    const own = shard.owners[document + 1]! - first;
    const units = typeof record.fields.text === "string" ? record.fields.text.length : 0;
    const sound =
      record.passages.length === own &&
      record.passages.every(
        ({ start, end }, at) =>
          start === shard.passages[2 * (first + at)] &&
          end === shard.passages[2 * (first + at) + 1] &&
          end <= units,
      );
    if (!sound) problems.push(`The passages of document ${id} differ from its shard's or leave its text.`);
  }
}
